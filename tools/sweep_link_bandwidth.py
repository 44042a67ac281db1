"""Which TSV rate is enough? A sweep through the Python API, over links.tsv.rate."""

from __future__ import annotations

import argparse
from pathlib import Path

from tlm3d import Study, load_platform, load_workload, parse_axis, sweep
from tlm3d.errors import Tlm3dError

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform", nargs="?", default=str(ROOT / "platforms" / "three_tier_vision.yaml"))
    parser.add_argument("workload", nargs="?", default=str(ROOT / "workloads" / "always_on_vision.yaml"))
    files = parser.parse_args()
    try:
        load_platform(files.platform)
        load_workload(files.workload)
    except Tlm3dError as error:
        parser.exit(2, f"error: {error}\n")
    rates = parse_axis("links.tsv.rate=0.5..10 Mbit/s:log:8")
    for row in sweep(Study(files.platform, files.workload), [rates]):
        if row.error:
            print(f"{row.values[0]:>14}  {row.error}")
            continue
        response_ms, power_mw = row.worst_response_ps / 1e9, row.average_nw / 1e6
        judged = f"{row.verdict:7} {row.missed:3} late, worst {response_ms:7.2f} ms, {power_mw:.2f} mW"
        print(f"{row.values[0]:>14}  {judged}")


if __name__ == "__main__":
    main()
