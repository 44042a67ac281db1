"""Bounds against simulation, over random systems.

    python tools/bound_tightness.py [--systems 10000] [--seed 0] [--kinds fixed edf …]
    python tools/bound_tightness.py --write | --page | --check | --only KIND:SEED

Draws random systems of every kind, simulates each and asks for its bounds; counts what the simulation contradicts and
says by kind how close it comes (tightness: largest simulated over bound). `--write` keeps that in
tools/data/bound_tightness.csv and in the table of docs/bounds.md, which `--page` writes from the data as it is.
`--only kind:seed` shows one system and its numbers, `--check` is quick, for continuous integration. Exit codes: 0 all
is as it should be, 1 something was contradicted or is not up to date, 2 wrong input.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rows import read, written
from systems import KINDS, draw
from systems.measure import Measured, Row, measure, measure_named
from systems.pair import Pair
from systems.phases import phased
from systems.shrink import shrunk
from systems.summary import PERCENTS, Summary, nearest, placed, summaries, table
from tlm3d.errors import ElaborationError, SpecError

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tools" / "data" / "bound_tightness.csv"
PAGE = ROOT / "docs" / "bounds.md"
ONE_PROCESSOR = ("fixed", "fixed-loose")  # fixed priority on one processor
MEDIAN = 0.9  # asked of these
SPOIL = 0.95  # bounds so much smaller must be contradicted, or this tool sees nothing
SHOWN = 3  # violations of a kind that are shown in full

Name = tuple[str, int]


def names_of(kinds: Sequence[str], systems: int, seed: int) -> list[Name]:
    """Kinds in turn, so that each has its share."""
    return [(kinds[i % len(kinds)], seed + i // len(kinds)) for i in range(systems)]


def _one(name: Name, with_bounds: bool, phases: int) -> Measured:
    return measure_named(*name, with_bounds, phases)


def measured(names: Sequence[Name], processes: int, with_bounds: bool, phases: int) -> Iterator[Measured]:
    one = partial(_one, with_bounds=with_bounds, phases=phases)
    if processes == 1:
        yield from map(one, names)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(one, names, chunksize=16)


def quantiles(values: Sequence[float]) -> str:
    """p5, p25, median, p75 and the largest, of the nearest rank."""
    if not values:
        return "     -" * 5
    ordered = sorted(values)
    return "".join(f" {nearest(ordered, percent):5.3f}" for percent in PERCENTS)


def tightness(rows: Iterable[Row], what: str = "response") -> list[float]:
    return [row.tightness for row in rows if row.what == what and row.tightness is not None]


def show_table(by_kind: dict[str, list[Measured]], spoil: float) -> None:
    print(f"{'kind':<16} systems  tasks  bounded violations untidy errors    p5   p25  median  p75   max     jobs")
    everything: list[Measured] = []
    for kind, systems in [*by_kind.items(), ("all", everything)]:
        everything += systems if kind != "all" else []
        rows = [row for system in systems for row in system.rows]
        responses = [row for row in rows if row.what == "response"]
        bounded = sum(row.bound_ps is not None for row in responses)
        violated = sum(len(row.violations(spoil)) for row in rows)
        untidy = sum(bool(row.untidy) for row in rows)
        errors = sum(bool(system.error) for system in systems)
        share = f"{100 * bounded / len(responses):6.1f} %" if responses else "      - "
        jobs = sum(system.jobs for system in systems)
        print(
            f"{kind:<16} {len(systems):>7} {len(responses):>6} {share} {violated:>10} {untidy:>6} {errors:>6}"
            f" {quantiles(tightness(responses))} {jobs:>8}"
        )
    rows = [row for system in everything for row in system.rows]
    for what in ("reaction", "age"):
        found = [row for row in rows if row.what == what]
        if not found:
            continue
        share = f"{100 * sum(row.bound_ps is not None for row in found) / len(found):6.1f} %"
        violated = sum(len(row.violations(spoil)) for row in found)
        close = quantiles(tightness(found, what))
        print(f"{what + ' of chains':<16} {'':>7} {len(found):>6} {share} {violated:>10} {'':>6} {'':>6} {close}")


def show_reasons(systems: Iterable[Measured]) -> None:
    """Why there is no bound, numbers and names of tasks and blocks left out."""
    reasons: Counter[str] = Counter()
    for system in systems:
        for row in system.rows:
            if row.bound_ps is None and row.what == "response":
                reasons[re.sub(r"\d+(\.\d+)?", "#", row.reason)] += 1
    if reasons:
        print("\nno bound:")
    for reason, count in reasons.most_common(25):
        print(f"{count:>8}  {reason}")


def troubles(system: Measured, spoil: float) -> list[tuple[str, str]]:
    """All that is wrong with a system, the worst first, as (what sort, in words)."""
    found = [("error", system.error)] if system.error else []
    found += [(row.what, text) for row in system.rows for text in row.violations(spoil)]
    return found + [("untidy", row.untidy) for row in system.rows if row.untidy]


def show_troubles(systems: Iterable[Measured], spoil: float, seconds: float) -> None:
    """Of each kind the smallest systems that went wrong; the first of each is made smaller for so many seconds."""
    wrong: dict[tuple[str, str], list[Measured]] = {}
    for system in systems:
        for sort in dict.fromkeys(sort for sort, _ in troubles(system, spoil)):
            wrong.setdefault((system.kind, sort), []).append(system)
    for (kind, sort), of_sort in wrong.items():
        of_sort.sort(key=lambda system: len(draw(system.kind, system.seed).text()))
        names = " ".join(str(system.seed) for system in of_sort[:40])
        print(f"\n{kind}, {sort}: {len(of_sort)} systems: {names}{' …' if len(of_sort) > 40 else ''}")
        for system in of_sort[:SHOWN]:
            print(f"{kind}:{system.seed}: {'; '.join(text for of, text in troubles(system, spoil) if of == sort)}")
        if not seconds:
            continue
        first = of_sort[0]
        phase = next((row.phase for row in first.rows if row.violations(spoil)), 0)
        pair = phased(draw(kind, first.seed), phase)
        smaller = shrunk(pair, partial(_shows, sort=sort, error=first.error.split(":")[0], spoil=spoil), seconds)
        told = "; ".join(text for of, text in troubles(_tried(smaller), spoil) if of == sort)
        print(f"{kind}:{first.seed}, phase {phase}, made smaller ({told}):\n{smaller.text()}")


def _tried(pair: Pair) -> Measured:
    """``pair`` measured; what cannot be read or built is no trouble."""
    try:
        return measure(pair)
    except (SpecError, ElaborationError):
        return Measured("", 0, ())
    except Exception as error:
        return Measured("", 0, (), f"{type(error).__name__}: {error}")


def _shows(pair: Pair, sort: str, error: str, spoil: float) -> bool:
    """Whether ``pair`` has a trouble of that sort."""
    tried = _tried(pair)
    return tried.error.split(":")[0] == error if error else any(of == sort for of, _ in troubles(tried, spoil))


def show_one(name: str, folder: Path | None, with_bounds: bool, phases: int) -> int:
    kind, _, seed = name.partition(":")
    pair = draw(kind, int(seed))
    system = measure(pair, with_bounds, phases)
    phase = next((row.phase for row in system.rows if row.violations()), 0)
    if folder:
        phased(pair, phase).write(folder)
    print(f"# phase {phase}\n{phased(pair, phase).text()}")
    for row in system.rows:
        told = f"bound {row.bound_ps} ps" if row.bound_ps is not None else f"no bound: {row.reason}"
        share = f", tightness {row.tightness:.3f}" if row.tightness is not None else ""
        simulated = f"simulated {row.shortest_ps} to {row.longest_ps} ps, best {row.best_ps} ps"
        print(f"# {row.what} of {row.name}: {simulated}, {told}{share}")
    found = troubles(system, 1)
    for _, text in found:
        print(f"# CONTRADICTED: {text}")
    return 1 if found else 0


def page_differs(data: Path, page: Path, write: bool) -> bool:
    """Whether the table of the page is not that of the data; ``write`` makes it so. Raises OSError, ValueError."""
    was = page.read_text(encoding="utf-8")
    now = placed(was, table(read(data, Summary)))
    if write:
        page.write_text(now, encoding="utf-8")
    return not write and was != now


def main(given: Sequence[str] | None = None, data: Path = DATA, page: Path = PAGE) -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Hold bounds against simulation over random systems.")
    parser.add_argument("--systems", type=int, default=10_000, help="how many in all, of the kinds in turn")
    parser.add_argument("--seed", type=int, default=0, help="of the first system of each kind")
    parser.add_argument("--kinds", nargs="+", metavar="KIND", choices=KINDS, default=list(KINDS), help=", ".join(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="write the data and the table of docs/bounds.md")
    parser.add_argument("--page", action="store_true", help="only write the table, from the data as it is")
    parser.add_argument("--only", metavar="KIND:SEED", help="show one system and its numbers")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="with --only: write its files there")
    parser.add_argument("--check", action="store_true", help="few systems; exits 1 unless all is as it should be")
    parser.add_argument("--phases", type=int, default=3, help="runs of each system, with other offsets and draws")
    parser.add_argument("--spoil", type=float, default=1, help="bounds times this, to see that violations are found")
    parser.add_argument("--shrink", type=float, default=20, metavar="SECONDS", help="to make a violation smaller")
    parser.add_argument("--no-bounds", action="store_true", help="simulate only")
    arguments = parser.parse_args(given)
    part_of_it = arguments.kinds != list(KINDS) or arguments.no_bounds or arguments.check or arguments.only
    if arguments.write and (part_of_it or arguments.spoil != 1):
        parser.error("--write is for all kinds and for bounds as they are")
    if arguments.systems < 1:
        parser.error("--systems: expected at least 1")
    kind, colon, seed = (arguments.only or "fixed:0").partition(":")
    if kind not in KINDS or not colon or not seed.removeprefix("-").isdecimal():
        parser.error(f"--only: expected a kind and a seed such as fixed:7, got '{arguments.only}'")
    try:
        stale = (arguments.page or arguments.check) and page_differs(data, page, write=arguments.page)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if arguments.page:
        return 0
    if arguments.only:
        return show_one(arguments.only, arguments.to, not arguments.no_bounds, arguments.phases)
    systems = min(arguments.systems, 25 * len(arguments.kinds)) if arguments.check else arguments.systems
    names = names_of(arguments.kinds, systems, arguments.seed)
    began_s = time.perf_counter()
    by_kind: dict[str, list[Measured]] = {kind: [] for kind in arguments.kinds}
    results = measured(names, arguments.processes, not arguments.no_bounds, arguments.phases)
    for done, system in enumerate(results, 1):
        by_kind[system.kind].append(system)
        if done % 500 == 0:
            print(f"{done} of {len(names)}, {time.perf_counter() - began_s:.0f} s", file=sys.stderr, flush=True)
    everything = [system for systems in by_kind.values() for system in systems]
    if arguments.write:  # before anything is shown: who reads that may have gone
        data.write_text(written(Summary, summaries(by_kind, ONE_PROCESSOR)), encoding="utf-8")
        page_differs(data, page, write=True)
    show_table(by_kind, arguments.spoil)
    simulating_s, bounding_s = (sum(getattr(s, key) for s in everything) for key in ("simulating_s", "bounding_s"))
    longest = max(everything, key=lambda system: system.bounding_s)
    at_most = f"at most {longest.bounding_s:.2f} s ({longest.kind}:{longest.seed})"
    took_s = time.perf_counter() - began_s
    print(f"{took_s:.0f} s; simulating {simulating_s:.0f} s, bounding {bounding_s:.0f} s, {at_most}")
    rows = [row for system in everything for row in system.rows]
    violated = sum(len(row.violations(arguments.spoil)) for row in rows)
    spoilt = sum(len(row.violations(arguments.spoil * SPOIL)) for row in rows)
    print(f"{violated} violations; with all bounds times {arguments.spoil * SPOIL:g} there would be {spoilt}")
    show_reasons(everything)
    show_troubles(everything, arguments.spoil, arguments.shrink)
    failed = any(troubles(system, arguments.spoil) for system in everything)
    if stale:
        print("docs/bounds.md is not up to date: run python tools/bound_tightness.py --page")
        failed = True
    one_processor = tightness(row for kind in ONE_PROCESSOR for system in by_kind.get(kind, []) for row in system.rows)
    if one_processor:
        median = statistics.median(one_processor)
        print(f"\nfixed priority on one processor: median tightness {median:.3f}, asked {MEDIAN}")
        failed |= median < MEDIAN
    if arguments.check and not spoilt:
        print("spoilt bounds were not noticed")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
