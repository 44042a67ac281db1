"""Run the task sets of the literature, hold what comes out against what must, and write docs/scheduling-cases.md.

    python tools/scheduling_cases.py [--check] [--case NAME]

What must come out is in tools/data/scheduling_cases.yaml, the task sets in workloads/textbook, their processors in
platforms/textbook. Exit codes: 0 all as expected, 1 something is not (or, with --check, the page is not up to date),
2 wrong input: a file, an unknown case. The page is written where all cases are run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from tlm3d import Result, simulate
from tlm3d.errors import Problem, SpecError, Tlm3dError, did_you_mean, one_of
from tlm3d.spec.pair import read_pair
from tlm3d.spec.source import read_source

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tools" / "data" / "scheduling_cases.yaml"
PAGE = ROOT / "docs" / "scheduling-cases.md"
MS = 10**9  # ps
NEVER = "-"


@dataclass(frozen=True)
class Run:
    """One run of a case: the files, what is changed in them, and what must come out (see the head of the data)."""

    case: str
    number: int  # of the run in its case, from 1
    source: str
    numbers: str
    workload: Path
    platform: Path
    written: Mapping[str, Any]  # as in the data

    @property
    def settings(self) -> list[str]:
        """All that is set, as --set."""
        dies = read_source(self.platform).tree["dies"]
        blocks = [f"dies.{die}.blocks.{block}" for die in dies for block in dies[die]["blocks"]]
        ways = {"preemption": self.written.get("preemption"), "tile": self.written.get("tile")}
        ways["tile"] = ways["tile"] and f"{ways['tile']} ms"
        given = [f"{block}.{key}={way}" for block in blocks for key, way in ways.items() if way]
        return [*self.written.get("set", []), *given]

    @property
    def policy(self) -> str | None:
        """Where it is not the workload's."""
        return self.written.get("policy")

    @property
    def horizon_ps(self) -> int | None:
        """Where it is not the workload's."""
        return ps(self.written["horizon"]) if "horizon" in self.written else None

    @property
    def how(self) -> str:
        """What is not as in the workload, in words."""
        named = [self.policy, self.platform.stem.replace("_", " ") if "platform" in self.written else None]
        if "preemption" in self.written:
            tile = f" of {self.written['tile']} ms" if "tile" in self.written else ""
            named.append(f"preemption {self.written['preemption']}{tile}")
        return ", ".join([one for one in named if one] + [one.split(".", 1)[1] for one in self.written.get("set", [])])

    def described(self) -> tuple[Any, Any]:
        """Platform and workload, read. Raises SpecError."""
        return read_pair(str(self.platform), str(self.workload), self.settings)

    def result(self) -> Result:
        """Run it. Raises Tlm3dError."""
        return simulate(*self.described(), policy=self.policy, horizon=self.horizon_ps)


@dataclass(frozen=True)
class Outcome:
    """What came out: times of all jobs by task in ms, counts by task."""

    finish: Mapping[str, Sequence[str]]
    worst: Mapping[str, str]
    done: Mapping[str, str]
    missed: Mapping[str, str]  # without the tasks that missed none
    deadlocks: str = "0"

    def answer(self, expected: Mapping[str, Any]) -> dict[str, Any]:
        """What it says of all that is expected, in the same words."""
        said: dict[str, Any] = {}
        if "finish" in expected:
            said["finish"] = {t: list(self.finish[t][: len(wanted)]) for t, wanted in expected["finish"].items()}
        for key in ("worst", "done"):
            if key in expected:
                said[key] = {task: getattr(self, key)[task] for task in expected[key]}
        said["missed"] = dict(self.missed)
        if "deadlocks" in expected:
            said["deadlocks"] = self.deadlocks
        return said


def wanted(run: Run) -> dict[str, Any]:
    """What must come out; whatever is not named as missed is not."""
    keys = ("finish", "worst", "done", "deadlocks")
    return {key: run.written[key] for key in keys if key in run.written} | {"missed": run.written.get("missed", {})}


def ps(text: str) -> int:
    """Milliseconds as written, in picoseconds."""
    return int(Fraction(text) * MS)


def ms(time_ps: int) -> str:
    """Picoseconds in milliseconds, as they are written; ``-`` for never."""
    whole, rest = divmod(time_ps, MS)
    return NEVER if time_ps < 0 else f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def outcome(result: Result) -> Outcome:
    """What the model says."""
    horizon_ps = result.recording.horizon_ps
    times: dict[str, list[tuple[int, int, int]]] = {task: [] for task in result.recording.tasks}
    for job in result.recording.jobs:
        times[job.task].append((job.index, job.release_ps, job.finish_ps if job.finish_ps <= horizon_ps else -1))
    finish = {task: [ms(end) for _, _, end in sorted(jobs)] for task, jobs in times.items()}
    worst = {t: ms(max((end - start for _, start, end in jobs if end >= 0), default=-1)) for t, jobs in times.items()}
    done = {task: str(sum(end >= 0 for *_, end in jobs)) for task, jobs in times.items()}
    missed = {name: str(task.missed) for name, task in result.tasks.items() if task.missed}
    deadlocks: Sequence[object] = getattr(result.recording, "deadlocks", ())
    return Outcome(finish, worst, done, missed, str(len(deadlocks)))


def runs() -> Iterator[Run]:
    """All runs of all cases, in the order of the data."""
    for case, written in read_source(DATA).tree.items():
        workload = written.get("workload", case.replace("-", "_"))
        for number, run in enumerate(written["runs"], 1):
            yield Run(
                case, number, written["source"], written["numbers"],
                ROOT / "workloads" / "textbook" / f"{workload}.yaml",
                ROOT / "platforms" / "textbook" / f"{run.get('platform', 'processors')}.yaml",
                run,
            )  # fmt: skip


@dataclass
class Verdict:
    """A run and what it gave."""

    run: Run
    got: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""  # the error, where it could not be run

    @property
    def ok(self) -> bool:
        return not self.refused and self.got == wanted(self.run)


def judged(run: Run) -> Verdict:
    """Run it and keep what it gave, or why it could not be run."""
    try:
        return Verdict(run, outcome(run.result()).answer(wanted(run)))
    except Tlm3dError as error:
        return Verdict(run, refused=str(error).splitlines()[0])


# ------------------------------------------------------------ the page

HEAD = """# Schedules of the literature

Task sets with a known schedule, run by the model. `python tools/scheduling_cases.py` runs them all and writes this
page; CI fails where one comes out differently. What is expected was worked out by hand from the rules, and a second
scheduler that knows nothing of the model (`tests/reference/scheduler.py`) says the same; the model is also held against
that job by job on random task sets. All times are ms.

- *Numbers*: `published` are those of the source, as remembered, and worked out anew; `ours` follow a pattern of it.
- *finish*: of a task's first jobs in turn, `-` for one that never finishes in the window; *worst*: the longest
  response; *done*: jobs finished; *missed*: jobs late or not done, of those due in the window, none if not named.
- Workloads are in `workloads/textbook`, their processors in `platforms/textbook`. A run has the workload's policy and
  full preemption unless *run* says otherwise.
"""


def page(verdicts: Sequence[Verdict]) -> str:
    """The page, every case with its runs."""
    good = sum(one.ok for one in verdicts)
    cases = {one.run.case for one in verdicts}
    lines = [HEAD, f"{len(cases)} cases, {len(verdicts)} runs, {good} as expected."]
    last = ""
    for one in verdicts:
        run = one.run
        if run.case != last:
            file = run.workload.relative_to(ROOT).as_posix()
            lines += ["", f"## {run.case}", "", f"{run.source}. Numbers: {run.numbers}. [{file}](../{file})", ""]
            lines += ["| run | schedule | expected | got | verdict |", "|---|---|---|---|---|"]
            last = run.case
        got = one.refused or shown(one.got)
        cells = [
            run.how or "as written",
            run.written["schedule"],
            shown(wanted(run)),
            got,
            "ok" if one.ok else "DIFFERS",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def shown(answer: Mapping[str, Any]) -> str:
    """In words: ``finish a 1, 2; b 3 · missed a 1``."""
    parts = []
    for key, value in answer.items():
        if isinstance(value, Mapping):
            texts = [f"{task} {', '.join(one) if isinstance(one, list) else one}" for task, one in value.items()]
            parts.append(f"{key} {'; '.join(texts) or 'none'}")
        else:
            parts.append(f"{key} {value}")
    return " · ".join(parts)


# ------------------------------------------------------------ the command


def main(arguments: Sequence[str] | None = None, target: Path = PAGE) -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description="run the task sets of the literature and write docs/scheduling-cases.md"
    )
    parser.add_argument("--check", action="store_true", help="write nothing: fail if the page is not up to date")
    parser.add_argument("--case", metavar="NAME", help="only this case; nothing is written")
    asked = parser.parse_args(arguments)
    try:
        chosen = list(runs())
        known = sorted({run.case for run in chosen})
        if asked.case is not None and asked.case not in known:
            hint = did_you_mean(asked.case, known) or one_of(known)
            raise SpecError([Problem("--case", 0, 0, "", f"no case '{asked.case}'{hint}")])
    except Tlm3dError as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return error.exit_code
    verdicts = [judged(run) for run in chosen if asked.case in (None, run.case)]
    for one in verdicts:
        if not one.ok or asked.case:
            print(f"{'ok' if one.ok else 'DIFFERS'}: {one.run.case}, {one.run.how or 'as written'}")
            print(f"  expected: {shown(wanted(one.run))}\n  got:      {one.refused or shown(one.got)}")
    ok = all(one.ok for one in verdicts)
    print(f"{len(verdicts)} runs, {sum(one.ok for one in verdicts)} as expected")
    if asked.case is None:
        text = page(verdicts)
        if not asked.check:
            target.write_text(text, encoding="utf-8")
        elif not target.is_file() or target.read_text(encoding="utf-8") != text:
            print(f"{target.name} is not up to date: run python tools/scheduling_cases.py", file=sys.stderr)
            ok = False
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
