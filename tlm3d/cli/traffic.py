"""``tlm3d traffic``: link studies without a workload."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tlm3d.cli.options import Corner, JsonFile, PlatformFile, Seed, Settings
from tlm3d.cli.terminal import INTERRUPTED, errors, progress_bar, tell, writing

NAME = "traffic"
SHORT = "Play transfers from a CSV file over the links."
EXAMPLES = (
    "tlm3d traffic platforms/three_tier_vision.yaml TRAFFIC.csv",
    "tlm3d traffic P.yaml TRAFFIC.csv --out times.csv",
    "tlm3d traffic P.yaml TRAFFIC.csv --json - | jq .channels",
)


def traffic(
    context: typer.Context,
    platform: PlatformFile,
    traffic: Annotated[str, typer.Argument(help="Traffic file (CSV).", show_default=False)],
    seed: Seed = 0,
    set_: Settings = None,
    corner: Corner = "typical",
    json: JsonFile = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write row, start_ps and finish_ps of every transfer as CSV.")
    ] = None,
) -> None:
    """Post the transfers of TRAFFIC to the channels of PLATFORM: busy time, queueing and energy by channel.

    TRAFFIC has a line of column names, initiator,after_ps,bytes,route[,priority], then one transfer a line: posted
    after_ps after the previous one of its initiator has finished. A route is names of channels joined by |, such as
    "bond:pixel>logic|logic.bus|logic.l2". An interrupt shows and writes what is done.
    """
    from tlm3d.reporters import traffic as reporter
    from tlm3d.simulation import load_study, play_traffic

    with errors(context):
        study = load_study(platform, traffic, set_ or [], corner)
        with progress_bar("playing") as progress:
            result = play_traffic(*study, seed=seed, progress=progress)
        tell(json, lambda: reporter.dumps(result), lambda console: reporter.render(result, console))
        if out is not None:
            with writing(out), out.open("w", encoding="utf-8", newline="") as file:
                file.writelines(reporter.times(result))
        raise typer.Exit(0 if result.complete else INTERRUPTED)
