"""How far planners are from the proved optimum, over random graphs; writes docs/placement.md.

    python tools/placement_gap.py [--check | --page | --family NAME]

Needs OR-Tools (the extra `plan`). Every figure of the page is worked out from tools/data/placement_gap.csv, a row a
graph, which a run without options writes anew (some minutes; with `--family NAME` the rows of that family). `--page`
only writes the page, from the data as it is. `--check` writes nothing: it makes all graphs and the fast planners'
schedules again, solves the first graphs of every family again, and fails where a number is another or the page is not
up to date. Exit codes: 0 all is as it was, 1 something is not, 2 wrong input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, median
from time import process_time
from typing import NamedTuple

from placement_cases import FAMILIES
from rows import read, written
from tlm3d.errors import Tlm3dError
from tlm3d.plans._draft import Draft, retimed
from tlm3d.plans.cpop import Cpop
from tlm3d.plans.graph import Graph
from tlm3d.plans.heft import Heft
from tlm3d.plans.min_energy import MinEnergy
from tlm3d.plans.optimal import Optimal
from tlm3d.plans.schedule import Schedule

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tools" / "data" / "placement_gap.csv"
PAGE = ROOT / "docs" / "placement.md"
SEEDS = 50
CHECKED = 2  # of every family, solved again by --check
LIMIT_S = 60.0
LOOSE = (5, 4)  # the deadline for energies: so many times the least makespan


class Row(NamedTuple):
    """A graph and what came out: makespans in ps, energies in aJ, solving in ms of processor time."""

    family: str
    seed: int
    greedy_ps: int
    classic_ps: int
    heft_ps: int
    cpop_ps: int
    least_ps: int  # proved, or the best bound
    optimal_ps: int  # of the schedule
    solve_ms: int
    heft_aj: int
    frugal_ps: int  # min-energy
    frugal_aj: int
    least_aj: int
    optimal_aj: int
    solve_energy_ms: int

    @property
    def deadline_ps(self) -> int:
        """For the energies."""
        return self.optimal_ps * LOOSE[0] // LOOSE[1]

    @property
    def timeless(self) -> Row:
        """Without how long it took."""
        return self._replace(solve_ms=0, solve_energy_ms=0)


# ------------------------------------------------------------ schedules


def greedy(graph: Graph) -> Schedule:
    """As at run time: a node that is ready goes where it would be done soonest, and nothing that comes later counts."""
    draft = Draft(graph)
    while waiting := [node for node in graph.order if node not in draft.slots]:
        free = [node for node in waiting if all(a in draft.slots for a in graph.needs[node])]
        ready = {n: max((draft.slots[a].finish_ps for a in graph.needs[n]), default=0) for n in free}
        node = min(free, key=ready.__getitem__)
        draft.put_soonest(node, graph.options[node])
    return draft.schedule()


def classic(graph: Graph) -> Schedule:
    """HEFT that knows nothing of links, its blocks and orders kept, run where links carry one move at a time."""
    plan = Heft(contention=False).plan(graph)
    nodes = {slot.node: (slot.start_ps, slot.finish_ps) for slot in plan.slots}
    legs = {(haul.edge, haul.leg): (haul.start_ps, haul.finish_ps) for haul in plan.hauls}
    return retimed(graph, plan.places, nodes, legs)


def quick(family: str, seed: int) -> Row:
    """The columns that need no search."""
    graph = FAMILIES[family](seed)
    heft = Heft().plan(graph)
    makespans = (greedy(graph), classic(graph), heft, Cpop().plan(graph))
    return Row(family, seed, *(one.makespan_ps for one in makespans), 0, 0, 0, heft.energy_aj, 0, 0, 0, 0, 0)


def solved(family: str, seed: int) -> Row:
    """All columns."""
    graph, row = FAMILIES[family](seed), quick(family, seed)
    shortest, solve_ms = timed(lambda: Optimal(limit_s=LIMIT_S).plan(graph))
    row = row._replace(least_ps=shortest.bound_ps, optimal_ps=shortest.makespan_ps, solve_ms=solve_ms)
    cheapest, solve_ms = timed(lambda: Optimal("energy", limit_s=LIMIT_S).plan(graph, row.deadline_ps))
    frugal = MinEnergy().plan(graph, row.deadline_ps)
    for one in (shortest, cheapest, frugal):
        assert not one.problems(graph), one.problems(graph)
    return row._replace(
        frugal_ps=frugal.makespan_ps, frugal_aj=frugal.energy_aj, least_aj=cheapest.bound_aj,
        optimal_aj=cheapest.energy_aj, solve_energy_ms=solve_ms,
    )  # fmt: skip


def timed(call: Callable[[], Schedule]) -> tuple[Schedule, int]:
    """What it gives, and how many ms it took, rounded up."""
    begun = process_time()
    schedule = call()
    return schedule, int((process_time() - begun) * 1000) + 1


# ------------------------------------------------------------ the page

HEAD = """# Planned placement, and how far it is from optimal

A planner takes a graph: nodes (layers, stages), for each the blocks that can run it with time and energy, and for each
edge what moves between two blocks, over which links and for how long. A block runs one node at a time, a link carries
one move at a time. One file in `tlm3d/plans/` is a planner:

| planner | what it does |
|---|---|
| `heft` | nodes by falling upward rank, each where it finishes soonest, into the first gap (Topcuoglu, Hariri & Wu \
2002); moves into the first gap of their links (Sinnen & Sousa 2005) |
| `cpop` | the same, the critical path on one block (same paper) |
| `fixed` | every node on the first block of its map |
| `min-energy` | least energy within the deadline: descent from `heft` and `cpop`, repair from the cheapest blocks, \
then branch and bound over the blocks; says `optimal` only where no cheaper choice is left open |
| `optimal` | OR-Tools CP-SAT, `pip install 'tlm3d[plan]'`: the least makespan and the proof, or the best found and \
the bound that was proved when the time was up: {limit:.0f} s of searching a graph |

On the example of the paper HEFT and CPOP give its makespans, 80 and 86 (`tests/formula/test_plans.py`); the least is
proved to be 73. On graphs of up to five nodes the optimum is held against trying every schedule
(`tests/laws/test_plans.py`).

The tables are written by `python tools/placement_gap.py` from `tools/data/placement_gap.csv`; CI makes the fast columns
anew and solves a part again. The graphs are random with fixed seeds (`tools/placement_cases.py`): layered ones as in
the paper's section 5.1, every two blocks with a link of their own each way or all on one bus; and networks on three
stacked dies, chains of layers or with two and three branches side by side, where from the first die to the last two
links are passed.
"""

MAKESPANS = """
## Makespan over the proved optimum

*greedy* stands for placement while it runs: a layer that is ready goes where it would be done soonest. *classic* is
HEFT as in the paper, without contention on links, its blocks and orders then run on links that carry one move at a
time. *best* is the share of graphs where the planner's schedule is an optimal one.
"""

ENERGIES = """
## Energy over the proved least, within a deadline

The deadline is {loose} times the least makespan. *in time* is the share of graphs where the planner's schedule meets
it; the other columns are over those.
"""

TIMES = """
## How long the proof takes

Processor time of `optimal` with one worker, the heuristics that it begins with included, measured when the data was
made; on a core that does nothing else that is the wall time.
"""


def page(rows: Sequence[Row]) -> str:
    """The page."""
    families = list(dict.fromkeys(row.family for row in rows))
    by_family = {family: [row for row in rows if row.family == family] for family in families}
    lines = [
        HEAD.format(limit=LIMIT_S),
        MAKESPANS,
        *makespans(by_family),
        ENERGIES.format(loose=f"{LOOSE[0]}/{LOOSE[1]}"),
    ]
    lines += [*energies(by_family), TIMES, *times(by_family)]
    return "\n".join(line.strip("\n") if "\n" in line else line for line in spaced(lines)) + "\n"


def spaced(lines: Iterable[str]) -> list[str]:
    """An empty line around every text of several lines."""
    found: list[str] = []
    for line in lines:
        found += ["", line, ""] if "\n" in line and found else [line, ""] if "\n" in line else [line]
    return found


def makespans(by_family: dict[str, list[Row]]) -> list[str]:
    names = ("greedy", "classic", "heft", "cpop")
    lines = ["| graphs | " + " | ".join(f"{name} mean | worst | best" for name in names) + " |"]
    lines += ["|---|" + "---:|" * 3 * len(names)]
    for family, all_rows in by_family.items():
        rows = [row for row in all_rows if row.least_ps == row.optimal_ps]
        cells = []
        for name in names:
            ratios = [getattr(row, f"{name}_ps") / row.optimal_ps for row in rows]
            cells += [f"{fmean(ratios):.3f}", f"{max(ratios):.2f}", share(ratio == 1 for ratio in ratios)]
        lines.append(f"| {len(rows)} × {family} | " + " | ".join(cells) + " |")
    return lines


def energies(by_family: dict[str, list[Row]]) -> list[str]:
    names = ("heft", "frugal")
    titles = {"heft": "heft", "frugal": "min-energy"}
    lines = ["| graphs | " + " | ".join(f"{titles[n]} in time | mean | worst | best" for n in names) + " |"]
    lines += ["|---|" + "---:|" * 4 * len(names)]
    for family, all_rows in by_family.items():
        rows = [row for row in all_rows if row.least_aj == row.optimal_aj]
        cells = []
        for name in names:
            met = [row for row in rows if getattr(row, f"{name}_ps") <= row.deadline_ps]
            ratios = [getattr(row, f"{name}_aj") / row.optimal_aj for row in met]
            cells += [share(row in met for row in rows), f"{fmean(ratios):.3f}", f"{max(ratios):.2f}"]
            cells += [share(ratio == 1 for ratio in ratios)]
        lines.append(f"| {len(rows)} × {family} | " + " | ".join(cells) + " |")
    return lines


def times(by_family: dict[str, list[Row]]) -> list[str]:
    lines = [
        "| graphs | makespan proved | median | longest | energy proved | median | longest |",
        "|---|" + "---:|" * 6,
    ]
    for family, rows in by_family.items():
        cells = [share(row.least_ps == row.optimal_ps for row in rows), *seconds([row.solve_ms for row in rows])]
        cells += [
            share(row.least_aj == row.optimal_aj for row in rows),
            *seconds([row.solve_energy_ms for row in rows]),
        ]
        lines.append(f"| {len(rows)} × {family} | " + " | ".join(cells) + " |")
    return lines


def share(are: Iterable[bool]) -> str:
    """Rounded down, so that 100 % are all."""
    all_of_them = list(are)
    return f"{100 * sum(all_of_them) // len(all_of_them)} %"


def seconds(times_ms: Sequence[int]) -> list[str]:
    return [f"{median(times_ms) / 1000:.2f} s", f"{max(times_ms) / 1000:.2f} s"]


# ------------------------------------------------------------ the command


def made(data: Path, families: Sequence[str]) -> None:
    """Make the rows of these families and write them beside those of the others."""
    kept = read(data, Row) if data.is_file() else []
    for family in families:
        rows = [solved(family, seed) for seed in range(SEEDS)]
        by_family = {name: [row for row in kept if row.family == name] for name in FAMILIES} | {family: rows}
        kept = [row for name in FAMILIES for row in by_family[name]]
        data.write_text(written(Row, kept), encoding="utf-8")


def differences(rows: Sequence[Row], checked: int = CHECKED) -> list[str]:
    """What of the data comes out differently now."""
    found = []
    wanted = [(family, seed) for family in FAMILIES for seed in range(SEEDS)]
    if [(row.family, row.seed) for row in rows] != wanted:
        return [f"{DATA.name} does not hold {SEEDS} graphs of every family"]
    for row in rows:
        again = solved(row.family, row.seed) if row.seed < checked else quick(row.family, row.seed)
        for name, was, now in zip(Row._fields, row.timeless, again.timeless, strict=True):
            if was != now and (now or row.seed < checked):
                found.append(f"{row.family}, seed {row.seed}: {name} was {was}, is {now}")
    return found


def main(arguments: Sequence[str] | None = None, data: Path = DATA, target: Path = PAGE) -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="hold planners against the proved optimum and write docs/placement.md")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing: fail if data or page are not up to date")
    what.add_argument("--family", metavar="NAME", choices=[*FAMILIES], help="only make the rows of this family anew")
    what.add_argument("--page", action="store_true", help="only write the page, from the data as it is")
    asked = parser.parse_args(arguments)
    try:
        if not (asked.check or asked.page):
            made(data, [asked.family] if asked.family else [*FAMILIES])
        rows = read(data, Row)
        wrong = differences(rows) if asked.check else []
    except (Tlm3dError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(wrong) or f"{len(rows)} graphs", file=sys.stderr if wrong else sys.stdout)
    if not asked.check:
        target.write_text(page(rows), encoding="utf-8")
    elif not target.is_file() or target.read_text(encoding="utf-8") != page(rows):
        print(f"{target.name} is not up to date: run python tools/placement_gap.py", file=sys.stderr)
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
