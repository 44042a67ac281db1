"""Bounds against simulation: ``python tools/bound_tightness.py [--systems 10000] [--seed 0] [--kinds fixed edf …]``.

Draws random systems of every kind, simulates each and asks for its bounds; counts what the simulation contradicts and
says by kind how close it comes (tightness: largest simulated over bound). Exits 1 where anything was contradicted.
``--only kind:seed`` shows one system and its numbers, ``--check`` is quick, for continuous integration.
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

from systems import KINDS, draw
from systems.measure import Measured, Row, measure, measure_named
from systems.pair import Pair
from systems.phases import phased
from systems.shrink import shrunk
from tlm3d.errors import ElaborationError, SpecError

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


def quantiles(values: Sequence[float]) -> list[str]:
    """p5, p25, median, p75 and the largest, of the nearest rank."""
    ordered = sorted(values)
    ranks = [ordered[max(0, -(-p * len(ordered) // 100) - 1)] for p in (5, 25, 50, 75, 100) if ordered]
    return [f"{value:.3f}" for value in ranks] or ["-"] * 5


def tightness(rows: Iterable[Row], what: str = "response") -> list[float]:
    return [row.tightness for row in rows if row.what == what and row.tightness is not None]


_COUNTED = ("kind", "systems", "tasks", "bounded", "violations", "untidy", "errors")
HEAD = [*_COUNTED, "p5", "p25", "median", "p75", "max", "jobs"]


def table(by_kind: dict[str, list[Measured]], spoil: float) -> list[list[str]]:
    """A row for each kind, for all of them, and for what is said of chains."""
    everything = [system for systems in by_kind.values() for system in systems]
    lines = []
    for kind, systems in [*by_kind.items(), ("all", everything)]:
        rows = [row for system in systems for row in system.rows]
        jobs, errors = sum(system.jobs for system in systems), sum(bool(system.error) for system in systems)
        lines.append([kind, str(len(systems)), *_cells(rows, "response", spoil), str(jobs)])
        lines[-1].insert(6, str(errors))
    rows = [row for system in everything for row in system.rows]
    for what in ("reaction", "age"):
        if any(row.what == what for row in rows):
            lines.append([f"{what} of chains", "", *_cells(rows, what, spoil), ""])
            lines[-1].insert(6, "")
    return lines


def _cells(rows: Sequence[Row], what: str, spoil: float) -> list[str]:
    """How many, bounded, contradicted, untidy; how tight."""
    found = [row for row in rows if row.what == what]
    share = f"{100 * sum(row.bound_ps is not None for row in found) / len(found):.1f} %" if found else "-"
    violated, untidy = sum(len(row.violations(spoil)) for row in found), sum(bool(row.untidy) for row in found)
    return [str(len(found)), share, str(violated), str(untidy), *quantiles(tightness(found, what))]


def show_table(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[i]) for line in [HEAD, *lines]) for i in range(len(HEAD))]
    for line in [HEAD, *lines]:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *cells[1:]]))


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """The table for a page."""
    rule = ["---", *["---:"] * (len(HEAD) - 1)]
    return "".join(f"| {' | '.join(line)} |\n" for line in [HEAD, rule, *lines])


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first system of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", metavar="KIND:SEED", help="show one system and its numbers")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="with --only: write its files there")
    parser.add_argument("--check", action="store_true", help="few systems; exits 1 unless all is as it should be")
    parser.add_argument("--phases", type=int, default=3, help="runs of each system, with other offsets and draws")
    parser.add_argument("--spoil", type=float, default=1, help="bounds times this, to see that violations are found")
    parser.add_argument("--shrink", type=float, default=20, metavar="SECONDS", help="to make a violation smaller")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, too")
    parser.add_argument("--no-bounds", action="store_true", help="simulate only")
    arguments = parser.parse_args()
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
    lines = table(by_kind, arguments.spoil)
    show_table(lines)
    if arguments.markdown:
        arguments.markdown.write_text(markdown(lines), encoding="utf-8")
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
