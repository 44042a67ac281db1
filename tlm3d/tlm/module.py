"""Modules: the hierarchy of a design, its unique path names, and its elaboration."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from simpy import Environment
from simpy.events import Event

from tlm3d.errors import ElaborationError, ModuleError, did_you_mean, one_of

if TYPE_CHECKING:
    from tlm3d.tlm.sockets import Socket

Process = Generator[Event, Any, Any]

_NAME = re.compile(r"[^\W\d]\w*")


class Module:
    """A named part of a design, like sc_module: what it contains has the path ``<its own path>.<name>``.

    ``within`` is the parent, or SimPy's Environment for the module at the top. Modules and sockets of one parent share
    one set of names. Raises ElaborationError for a name that is taken or is no identifier, and for a parent that has
    already been elaborated.
    """

    def __init__(self, name: str, within: Module | Environment) -> None:
        self.name = name
        self.parent = within if isinstance(within, Module) else None
        self.env: Environment = within.env if isinstance(within, Module) else within
        self.path: str = f"{within.path}.{name}" if isinstance(within, Module) else name
        self.children: dict[str, Module | Socket] = {}
        self._threads: list[Callable[[], Process]] = []
        self._is_elaborated = False
        if self.parent is not None:
            self.parent.adopt(self)
        else:
            _check_name(name, name)

    @property
    def top(self) -> Module:
        return self if self.parent is None else self.parent.top

    @property
    def is_elaborated(self) -> bool:
        return self.top._is_elaborated

    @property
    def now_ps(self) -> int:
        """Simulated time. Raises ModuleError when a process has waited for a part of a picosecond."""
        now_ps = self.env.now
        if type(now_ps) is not int:
            what = f"the clock stands at {now_ps!r}; wait for whole picoseconds, env.timeout(1500), not 1.5e3"
            raise ModuleError(int(now_ps), self.path, what)
        return now_ps

    def adopt(self, child: Module | Socket) -> None:
        """Give ``child`` its name here; the constructors of modules and sockets do it."""
        _check_name(child.name, f"{self.path}.{child.name}")
        if self.is_elaborated:
            raise ElaborationError(f"{self.path}.{child.name}: comes too late, {self.top.path} has been elaborated")
        if child.name in self.children:
            raise ElaborationError(f"{self.path}.{child.name}: the name is taken; choose another for one of the two")
        self.children[child.name] = child

    def thread(self, function: Callable[[], Process]) -> None:
        """Start ``function()`` as a process after elaboration, like SC_THREAD.

        Processes start in the order of their modules' paths, then of these calls: not in that of construction.
        """
        if self.is_elaborated:
            raise ElaborationError(f"{self.path}: a thread comes too late; call env.process(...) instead")
        self._threads.append(function)

    def find(self, path: str) -> Module | Socket:
        """The module or socket at ``path`` below this one. Raises ElaborationError with what there is instead."""
        here: Module | Socket = self
        for name in path.split("."):
            known = here.children if isinstance(here, Module) else {}
            if name not in known:
                hint = did_you_mean(name, known) or (one_of(sorted(known)) if known else "; it contains nothing")
                raise ElaborationError(f"{here.path}: has no '{name}'{hint}")
            here = known[name]
        return here

    def modules(self) -> Iterator[Module]:
        """This module and all below it, parents before children, in name order."""
        yield self
        for _, child in sorted(self.children.items()):
            if isinstance(child, Module):
                yield from child.modules()

    def sockets(self) -> Iterator[Socket]:
        """The sockets of this very module, in name order."""
        return (child for _, child in sorted(self.children.items()) if not isinstance(child, Module))

    def problems(self) -> list[str]:
        """What makes this module impossible, beside its sockets; for a module to override."""
        return []

    def end_of_elaboration(self) -> None:
        """Called when every socket is bound, before time begins; for a module to override."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


def elaborate(top: Module) -> None:
    """Check and connect everything below ``top``, then start its processes.

    Every socket must be bound exactly once. Raises ElaborationError with all problems there are.
    """
    if top.parent is not None:
        raise ElaborationError(f"{top.path}: is inside {top.parent.path}; elaborate {top.top.path}")
    if top.is_elaborated:
        raise ElaborationError(f"{top.path}: has been elaborated already")
    modules = list(top.modules())
    problems = [problem for module in modules for problem in module.problems()]
    problems += [problem for module in modules for socket in module.sockets() for problem in socket.problems()]
    if problems:
        raise ElaborationError(problems)
    for module in modules:
        for socket in module.sockets():
            socket.connect()
    top._is_elaborated = True
    for module in modules:
        module.end_of_elaboration()
    for module in modules:
        for function in module._threads:
            module.env.process(function())


def _check_name(name: str, path: str) -> None:
    if not _NAME.fullmatch(name):
        raise ElaborationError(f"{path}: a name is letters, digits and _, and begins with no digit, got {name!r}")
