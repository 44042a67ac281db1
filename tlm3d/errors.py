"""Every exception of tlm3d.

Tlm3dError
  SpecError           problems found in files, all of them, in file order              exit 2
  PluginError         a kind that is unknown, doubly defined or broken                 exit 2
  ElaborationError    valid parts, impossible system: no route, does not fit, unbound  exit 2
  ModuleError         a module of the user's own broke a rule while simulating         exit 2
  RecordError         facts asked for that the run did not keep                        exit 2
  SimulationError     an invariant broke while simulating; a bug of tlm3d              exit 3
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class Tlm3dError(Exception):
    """Base of all errors that tlm3d raises on purpose; ``exit_code`` is what the command line exits with."""

    exit_code = 2


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One thing wrong in one place of one file (lines and columns count from 1; 0 means "the whole file")."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class SpecError(Tlm3dError):
    """Problems in files. ``problems`` holds all of them, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class PluginError(Tlm3dError):
    """A kind (block, link, policy, …) that is unknown, defined twice, or fails to import."""


class ElaborationError(Tlm3dError):
    """Every part is valid, the system is impossible. ``problems`` says why, one sentence each."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class ModuleError(Tlm3dError):
    """A module that a user has written broke a rule of time, sockets or protocol: when, where, and which."""

    def __init__(self, now_ps: int, where: str, what: str) -> None:
        self.now_ps, self.where, self.what = now_ps, where, what
        super().__init__(now_ps, where, what)  # SimPy makes a new one from these when it leaves a process

    def __str__(self) -> str:
        return f"at {self.now_ps} ps in {self.where}: {self.what}"


class RecordError(Tlm3dError):
    """Facts were asked for that the run was told not to keep."""


class SimulationError(Tlm3dError):
    """An invariant broke while simulating. This is a bug of tlm3d, never of the user's files."""

    exit_code = 3

    def __init__(self, now_ps: int, component: str, what: str) -> None:
        self.now_ps, self.component, self.what = now_ps, component, what
        super().__init__(now_ps, component, what)  # SimPy makes a new one from these when it leaves a process

    def __str__(self) -> str:
        return f"at {self.now_ps} ps in {self.component}: {self.what} (please report this as a bug of tlm3d)"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'tsv'?"`` when a known name is close to ``word``, else ``""``."""
    close = get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def one_of(known: Iterable[str]) -> str:
    """``"; expected one of: bond, tsv"``; of none, that there is none."""
    names = ", ".join(known)
    return f"; expected one of: {names}" if names else "; there is none"
