"""Bounds of a whole system: one server after the other, until nothing moves any more.

A task is a graph of steps, each on one server. How long after a release a step may be ready is what the steps before
it may take; how densely it then comes to its server is the release's arrival, that much later at most: jitter that is
handed on (Tindell & Clark, Microprocessing and Microprogramming 40, 1994). Responses grow with what others hand on, so
that all of them together are a least fixed point, found from below.

A job may wait for the one of its task before it. Where all of a job runs on one processor that is part of the analysis
there; else the wait is bounded apart, and each step meets no earlier job of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product

from tlm3d.bounds import any_order, dated, demand_test, fixed_order, shared_queue
from tlm3d.bounds.arrival import Delayed
from tlm3d.bounds.chains import chain_bounds
from tlm3d.bounds.claim import ALWAYS, Claim, NoBound
from tlm3d.bounds.demand import Demand
from tlm3d.bounds.resources import Blocking, resource_blocking, section_ps
from tlm3d.bounds.result import Bounds, Part, ServerDemand, TaskBound
from tlm3d.bounds.task_state import TaskState
from tlm3d.bounds.work import Works, in_the_way_ps

MOST_ROUNDS = 60
_MOST_BEFORE = 1000  # jobs without a gap that are followed one by one
_MANY = 4  # claims of one task on a block
_FAR = 30  # times its deadline, or its least response: a bound beyond that is called none

Found = tuple[int, int] | NoBound  # from the nominal arrival, and from when it is ready, to the finish


def _analyse(order: str, claims: Sequence[Claim], of: Claim) -> Found:
    if order == "dated":
        return dated.responses_ps(claims, of)
    return _both((fixed_order if order == "fixed" else any_order).response_ps(claims, of), of)


def _both(nominal_ps: int | NoBound, of: Claim) -> Found:
    """From when ``of`` is ready as well, where one that is late meets no more than one that is not."""
    return nominal_ps if isinstance(nominal_ps, NoBound) else (nominal_ps, nominal_ps - of.late_ps)


def bounds_of(demand: Demand) -> Bounds:
    """The bound of every task of ``demand``, or why there is none."""
    return _System(demand).bounds()


class _System:
    def __init__(self, demand: Demand) -> None:
        self._demand = demand
        works, by_rate = Works(demand), Works(demand, by_rate=True)
        self._works = (works, by_rate)
        self._states = {
            name: TaskState(task, *([each.step(task, n) for n in range(len(task.steps))] for each in self._works))
            for name, task in demand.tasks.items()
        }
        self._blocking = resource_blocking(demand)
        self._on: dict[str, list[tuple[TaskState, int]]] = {}  # by server
        for state in self._states.values():
            for number, step in enumerate(state.task.steps):
                self._on.setdefault(step.server, []).append((state, number))
        for state in self._states.values():
            state.none = self._unknown(state)
            state.lone_ps = self._lone_ps(state)

    def bounds(self) -> Bounds:
        """Everything, once nothing moves any more."""
        self._settle()
        tasks = {name: self._bound(state) for name, state in self._states.items()}
        demand = self._demand
        return Bounds(
            platform=demand.platform,
            workload=demand.workload,
            policy=demand.policy,
            corner=demand.corner,
            tasks=tasks,
            chains=chain_bounds(demand, tasks),
            servers=self._servers(),
            demands=dict(self._demands()),
        )

    def _demands(self) -> Iterable[tuple[str, ServerDemand]]:
        """The demand test where deadlines are what is served by, and nothing of the tasks is done elsewhere."""
        if self._demand.order != "dated":
            return
        for name, users in sorted(self._on.items()):
            server = self._demand.servers[name]
            tasks = [state.task for state, _ in users]
            if server.processors != 1 or any(task.key_ps != task.deadline_ps for task in tasks):
                continue
            parents = [self._states[task.parent] for task in tasks if task.parent is not None]
            if any(parent.none for parent in parents) or not all(state.alone_on_one for state, _ in users):
                continue
            if any(task.name in self._blocking.unknown for task in tasks):
                continue
            blocking = [self._hinder(state, name) for state, _ in users]
            if any(hinder.none for hinder in blocking):
                continue
            claims = []
            for (state, number), hinder in zip(users, blocking, strict=True):
                claim = self._claim(state, number, hinder.ps + server.wake_ps, state.late_ps[number])
                claims.append(replace(claim, work_ps=claim.work_ps + state.works[number].entry_ps))
            found = demand_test.demand_test(claims)
            if not isinstance(found, NoBound):
                yield name, ServerDemand(found.kept, found.at_ps)

    def _servers(self) -> dict[str, Fraction]:
        found = {}
        for name, users in sorted(self._on.items()):
            shares = [
                Fraction(work.serial_ps) * state.task.arrival.rate
                for state, number in users
                if isinstance((work := state.works[number]).serial_ps, int)
            ]
            found[name] = sum(shares, Fraction(0)) / max(1, self._demand.servers[name].processors)
        return found

    def _unknown(self, state: TaskState) -> NoBound | None:
        """Why nothing can be said of a task from the start."""
        task, demand = state.task, self._demand
        if task.reason:
            return NoBound(task.reason)
        for other in demand.tasks.values():
            if other.reason:  # nor is it known what that one asks of whom
                return NoBound(f"{other.name}: {other.reason}")
        if task.landing is not None and task.landing.worst_ps is None:
            return NoBound(task.landing.reason)
        for step, work in zip(task.steps, state.works, strict=True):
            server = demand.servers[step.server]
            if server.reason:
                return NoBound(f"{server.name} {server.reason}")
            if isinstance(work.serial_ps, NoBound):
                return work.serial_ps
        return self._blocking.unknown.get(task.name)

    def _lone_ps(self, state: TaskState) -> int | None:
        """All that a job does on processors where no other task runs: from its start to its finish one of them works.

        That is of jobs that do not wait for resources, and of whose task none is given up and leaves a piece behind.
        """
        servers = {step.server: self._demand.servers[step.server] for step in state.task.steps}
        others = any(other is not state for name in servers for other, _ in self._on[name])
        holds = any(step.holds for step in state.task.steps)
        if not servers or others or holds or state.task.aborts or state.alone_on_one:
            return None
        if not all(server.processors for server in servers.values()):
            return None
        pauses_ps = sum(
            len(step.parts) * (servers[step.server].wake_ps + 2 * servers[step.server].switch_ps)
            for step in state.task.steps
        )
        return pauses_ps + sum(work.least_ps for work in state.works)

    # ------------------------------------------------------------ the fixed point

    def _settle(self) -> None:
        order = self._in_order()
        for _ in range(MOST_ROUNDS):
            moved = False
            for state in order:
                if state.none is None:
                    moved |= self._advance(state)
            if not moved:
                return
        for state in order:
            if state.none is None:
                state.none = NoBound(f"nothing settles in {MOST_ROUNDS} rounds")

    def _in_order(self) -> list[TaskState]:
        """Parents first, then by level: so that what is handed on is known soon."""
        depth: dict[str, int] = {}
        for name, state in self._states.items():
            count, parent = 0, state.task.parent
            while parent is not None:
                count, parent = count + 1, self._demand.tasks[parent].parent
            depth[name] = count
        return sorted(self._states.values(), key=lambda state: (depth[state.task.name], state.task.level))

    def _advance(self, state: TaskState) -> bool:
        """Whether anything of a task has grown, given all others as they are now."""
        before = (state.bound_ps, state.start_ps, tuple(state.late_ps), tuple(state.done_ps), state.arrival)
        task = state.task
        if task.parent is not None:
            parent = self._states[task.parent]
            if parent.none is not None:
                state.none = NoBound(f"it comes after {task.parent}, which has none")
                return True
            state.arrival = Delayed(parent.arrival, parent.bound_ps - parent.best_ps)
        input_ps = task.landing.worst_ps if task.landing is not None and task.landing.worst_ps is not None else 0
        start_ps = state.start_ps = max(state.start_ps, input_ps)
        for number, step in enumerate(task.steps):
            ready_ps = max([start_ps, *(state.done_ps[other] for other in step.after)])
            state.late_ps[number] = max(state.late_ps[number], ready_ps)
            found = self._step_ps(state, number)
            if isinstance(found, NoBound):
                state.none = found
                return True
            state.done_ps[number] = max(state.done_ps[number], found)
        state.bound_ps = max(state.bound_ps, *state.done_ps)
        if not state.alone_on_one:
            state.start_ps = max(start_ps, input_ps + self._self_wait_ps(state, input_ps))
        if state.bound_ps > _FAR * max(task.deadline_ps, state.best_ps):
            which = "deadline" if task.deadline_ps >= state.best_ps else "least response"
            state.none = NoBound(f"none found below {_FAR} times its {which}")
            return True
        return before != (state.bound_ps, state.start_ps, tuple(state.late_ps), tuple(state.done_ps), state.arrival)

    def _self_wait_ps(self, state: TaskState, input_ps: int) -> int:
        """How long a job may wait for those of its task before it.

        The last of them finishes its bound after its release at the latest. Or, of n jobs before it without a gap, the
        first came at least the least span of n releases earlier, and each took what a job takes from its start. And
        never more wait than the backlog holds, behind the one that runs.
        """
        spans = state.arrival.least_span_ps
        wait_ps = max(0, state.bound_ps - spans(1) - input_ps)
        if not wait_ps:
            return 0
        alone_ps, worst_ps = state.alone_ps(), 0
        most_ps = state.task.backlog * alone_ps
        if alone_ps * state.arrival.rate > 1:  # more and more wait
            return min(wait_ps, most_ps) if self._demand.order == "dated" else most_ps
        for n in range(1, _MOST_BEFORE):
            after_ps = n * alone_ps - spans(n)
            if after_ps <= 0 or worst_ps >= most_ps:
                break
            worst_ps = max(worst_ps, after_ps)
        else:  # n jobs at a rate that leaves room for them come no further ahead of it than that
            worst_ps = max(worst_ps, state.arrival.ahead_ps) if state.arrival.rate else most_ps
        return min(wait_ps, worst_ps, most_ps)

    def _step_ps(self, state: TaskState, number: int) -> int | NoBound:
        """When a step has finished at the latest."""
        processors = self._demand.servers[state.task.steps[number].server].processors
        on = {0: self._on_block, 1: self._on_processor}.get(processors, self._in_pool)
        found = NoBound("") if number in state.lone else on(state, number)
        latest_ps = None if state.lone_ps is None else state.start_ps + state.lone_ps
        if isinstance(found, NoBound):
            if latest_ps is None:
                return found
            return self._by_lone_ps(state, number, latest_ps)
        nominal_ps, ready_ps = found
        state.takes_ps[number] = max(state.takes_ps[number], ready_ps)
        done_ps = min(state.early_ps[number] + nominal_ps, state.late_ps[number] + ready_ps)
        return done_ps if latest_ps is None or done_ps <= latest_ps else self._by_lone_ps(state, number, latest_ps)

    @staticmethod
    def _by_lone_ps(state: TaskState, number: int, latest_ps: int) -> int:
        state.lone.add(number)
        state.held[number] = (state.works[number].least_ps, 0)
        state.takes_ps[number] = max(state.takes_ps[number], state.lone_ps or 0)
        return latest_ps

    # ------------------------------------------------------------ one server

    def _on_processor(self, state: TaskState, number: int) -> Found:
        """The longest time from the nominal arrival of a step on a processor to its finish."""
        server, order = self._demand.servers[state.task.steps[number].server], self._demand.order
        if order == "any" and server.switch_ps:
            return NoBound(f"{server.name}: its context may be switched any number of times")
        hinder = self._hinder(state, server.name)
        if order != "any" and hinder.none is not None:
            return self._least([partial(self._respond, "any", state, number, 0)], state, number, hinder.none)
        ways = [partial(self._respond, order, state, number, hinder.ps)]
        if not state.alone_on_one:
            ways.append(partial(self._from_ready, order, state, number, hinder.ps))
        found = self._least(ways, state, number)
        if isinstance(found, NoBound) and order != "any" and not found.reason.startswith("utilisation"):
            return self._least([partial(self._respond, "any", state, number, 0)], state, number, found)
        return found

    def _least(
        self, ways: Iterable[Callable[[], Found]], state: TaskState, number: int, none: NoBound | None = None
    ) -> Found:
        """The least of what several analyses find; else ``none``, or the reason of the first of them."""
        best: tuple[int, int] | None = None
        held = state.held[number]
        for way in ways:
            found = way()
            if isinstance(found, NoBound):
                none = none or found
            elif best is None:
                best, held = found, state.held[number]
            else:
                held = state.held[number] if found[0] < best[0] else held
                best = min(found[0], best[0]), min(found[1], best[1])
        state.held[number] = held
        if best is not None:
            return best
        assert none is not None
        return none

    def _hinder(self, state: TaskState, server: str) -> Blocking:
        """What resources do to a task on a server."""
        return self._blocking.by_task.get((state.task.name, server), Blocking(0, None))

    def _respond(self, order: str, state: TaskState, number: int, blocked_ps: int) -> Found:
        server = self._demand.servers[state.task.steps[number].server]
        blocked_ps += server.wake_ps
        own = self._claim(state, number, blocked_ps, state.late_ps[number])
        if own.alone:  # what its last job did here last may have begun before
            pieces_ps = [other.works[place].piece_ps for other, place in self._on[server.name] if other is state]
            own = replace(
                own, piece_ps=max(pieces_ps), blocked_ps=blocked_ps + self._own_section_ps(state, server.name)
            )
        if order != "fixed":  # its earlier jobs may have put off what now goes before it
            own = replace(own, work_ps=own.work_ps + state.works[number].entry_ps)
        claims = [own]
        for other, place in self._on[server.name]:
            if other is state and (place == number or (order == "fixed" and self._related(state, place, number))):
                continue
            if other.none is not None:
                if order == "fixed" and other.task.level > state.task.level:
                    claims.append(self._claim(other, place, 0, other.early_ps[place]))  # its pieces count, nothing else
                    continue
                return self._because(server.name, other)
            claim = self._claim(other, place, 0, other.late_ps[place])
            claims.append(replace(claim, work_ps=claim.work_ps + other.works[place].entry_ps))
        state.held[number] = (own.work_ps, blocked_ps + max([0, *(c.piece_ps - 1 for c in claims[1:])]))
        return _named(server.name, _analyse(order, claims, own))

    def _from_ready(self, order: str, state: TaskState, number: int, blocked_ps: int) -> Found:
        """The same for a job that meets no other one of its own, from when the step is ready.

        Others count with all of their jobs that have not finished then. Each may still have to pay for having been put
        off before.
        """
        step, work = state.task.steps[number], state.works[number]
        server = self._demand.servers[step.server]
        blocked_ps += server.wake_ps
        claims: list[Claim] = []
        pieces_ps = [0]
        for other, place in self._on[server.name]:
            if other is state and (place == number or self._related(state, place, number)):
                continue
            goes_later = order == "fixed" and other.task.level > state.task.level
            if order == "dated" or goes_later:
                pieces_ps.append(other.works[place].piece_ps - 1)
            if goes_later:
                continue
            if other.none is not None:
                return self._because(server.name, other)
            claim = self._claim(other, place, 0, other.done_ps[place])
            claims.append(replace(claim, work_ps=claim.work_ps + other.works[place].entry_ps))
            blocked_ps += server.switch_ps
        blocked_ps += max(pieces_ps)
        own = self._claim(state, number, blocked_ps, state.late_ps[number])
        state.held[number] = (work.least_ps, blocked_ps)
        return self._in_window(server.name, order, claims, own)

    @staticmethod
    def _in_window(server: str, order: str, claims: Sequence[Claim], own: Claim) -> Found:
        """What a step takes from when it is ready, in the window from then on, blocked once."""
        whole = replace(own, work_ps=own.work_ps + own.blocked_ps)
        found = shared_queue.response_ps([(claim, 0) for claim in claims], whole, 1, order == "dated")
        return _named(server, _both(found, own))

    def _in_pool(self, state: TaskState, number: int) -> Found:
        """The same for processors that share a queue."""
        step, work = state.task.steps[number], state.works[number]
        server = self._demand.servers[step.server]
        in_order = server.preemption == "full" and self._hinder(state, server.name).none is None
        order = self._demand.order if in_order else "any"
        if self._demand.order == "any" and server.switch_ps:
            return NoBound(f"{server.name}: its context may be switched any number of times")
        own = self._claim(state, number, 0, state.late_ps[number])
        claims = []
        for other, place in self._on[server.name]:
            if other is state and (place == number or self._related(state, place, number)):
                continue
            if not step.may & other.task.steps[place].may:
                continue
            if order == "fixed" and other.task.level > state.task.level:
                continue
            if other.none is not None:
                return self._because(server.name, other)
            claims.append((self._claim(other, place, 0, other.done_ps[place]), other.works[place].entry_ps))
        state.held[number] = (work.least_ps, 0)
        found = shared_queue.response_ps(claims, own, step.width, order == "dated")
        return _named(server.name, _both(found, own))

    def _own_section_ps(self, state: TaskState, server: str) -> int:
        """What its last job may have held last on a processor, as urgent as whoever waited for it."""
        held_ps = [
            section_ps(state.task, number, hold)
            for number, step in enumerate(state.task.steps)
            for hold in step.holds
            if step.server == server and len(self._demand.resources[hold.resource].tasks) > 1
        ]
        return max(held_ps) + self._demand.servers[server].switch_ps if held_ps else 0

    def _on_block(self, state: TaskState, number: int) -> Found:
        """The same for a compute block."""
        server, order = state.task.steps[number].server, self._demand.order
        ways = [("any", True), ("any", False)]
        if order != "any" and not self._works[0].only_any_order(server) and self._hinder(state, server).none is None:
            ways.insert(0, (order, True))
        found = [
            partial(self._on_block_in, order, from_ready, by_rate, state, number)
            for (order, from_ready), by_rate in product(ways, (False, True))
        ]
        return self._least(found, state, number)

    def _on_block_in(self, order: str, from_ready: bool, by_rate: bool, state: TaskState, number: int) -> Found:
        """In the window from when the step is ready: others count with all of their jobs that have not finished then.

        Or by the busy period of the block, in any order: what is ready later counts from there.
        """
        step, work = state.task.steps[number], state.work(number, by_rate)
        server = self._demand.servers[step.server]
        users = self._on[server.name]
        line_ps = work.line_ps if len(users) == 1 else None
        blocked_ps = server.wake_ps
        if order != "any" and line_ps is None:
            less = [
                other.work(place, by_rate)
                for other, place in users
                if other is not state and (order == "dated" or other.task.level > state.task.level)
            ]
            blocked_ps += work.gaps * in_the_way_ps(less, server.preemption)
        if from_ready and state.task.aborts:  # tiles of its last job may be under way
            blocked_ps += in_the_way_ps([work], "tile")
        own = self._claim(state, number, blocked_ps, state.late_ps[number], by_rate)
        if line_ps is not None:
            own = replace(own, work_ps=line_ps)
        by_task = dict[str, list[Claim]]()
        for other, place in users:
            if other is state and (place == number or (from_ready and self._related(state, place, number))):
                continue
            if order == "fixed" and other.task.level > state.task.level:
                if other.work(place, by_rate).endless is not None:
                    return self._because(server.name, other)
                continue  # its tiles are in what blocks
            if other.none is not None:
                return self._because(server.name, other)
            late_ps = other.done_ps[place] if from_ready else other.late_ps[place]
            by_task.setdefault(other.task.name, []).append(self._claim(other, place, 0, late_ps, by_rate))
        claims = [claim for of_task in by_task.values() for claim in _few(of_task)]
        traffic = self._traffic(server.name, by_rate)
        if isinstance(traffic, NoBound):
            return traffic
        state.held[number] = (own.work_ps, blocked_ps)
        if from_ready:
            return self._in_window(server.name, order, [*claims, *traffic], own)
        return _named(server.name, _analyse(order, [own, *claims, *traffic], own))

    def _traffic(self, server: str, by_rate: bool) -> list[Claim] | NoBound:
        """What goes before the transfers of a block on channels and is not in what they take, as work before all."""
        claims = []
        for one in self._works[by_rate].goes_first(server):
            if one.reason:
                return NoBound(f"{one.wire}: {one.reason}")
            if one.task is None:
                assert one.arrival is not None
                arrival, late_ps = one.arrival, one.late_ps
            else:
                state = self._states[one.task]
                if state.none is not None:
                    return NoBound(f"{one.wire}: {one.task} goes first there: {state.none.reason}")
                arrival, late_ps = state.arrival, state.bound_ps
            name = f"{one.initiator}@{one.wire}"
            claims.append(Claim(name, one.ps, arrival, late_ps, ALWAYS, ALWAYS))
        return claims

    def _claim(self, state: TaskState, number: int, blocked_ps: int, latest_ps: int, by_rate: bool = False) -> Claim:
        task, work = state.task, state.work(number, by_rate)
        early_ps = state.early_ps[number]
        assert isinstance(work.serial_ps, int)
        return Claim(
            name=f"{task.name}/{task.steps[number].name}",
            work_ps=work.serial_ps,
            arrival=state.arrival,
            late_ps=latest_ps - early_ps,
            level=task.level,
            key_ps=task.key_ps - early_ps,
            piece_ps=work.piece_ps,
            last_ps=work.last_ps,
            blocked_ps=blocked_ps,
            alone=not state.alone_on_one,
        )

    @staticmethod
    def _because(server: str, other: TaskState) -> NoBound:
        """Why nothing is known where ``other`` may come; its own reason, unless that is another one's again."""
        assert other.none is not None
        reason, known = other.none.reason.removeprefix(f"{server}: "), "nothing bounds when"
        why = "" if known in reason else f": {reason}"
        return NoBound(f"{server}: {known} {other.task.name} comes there{why}")

    @staticmethod
    def _related(state: TaskState, one: int, of: int) -> bool:
        """Whether step ``one`` of a task is done when its step ``of`` is ready, or begins only when that is done.

        A step is ready when all of those before it are done. But items of one after it may wait for a part of it only.
        """
        return one in state.task.steps_before(of) or state.all_after(of, one)

    # ------------------------------------------------------------ what is said

    def _bound(self, state: TaskState) -> TaskBound:
        task = state.task
        if state.none is not None:
            return TaskBound(task.name, task.deadline_ps, None, state.none.reason, state.best_ps)
        drops = ""
        at_once = state.arrival.most(state.bound_ps)
        if at_once > 1 + task.backlog:
            drops = f"up to {at_once} jobs at once, more than one and a backlog of {task.backlog}: some may be dropped"
        parts = tuple(self._parts(state))
        return TaskBound(task.name, task.deadline_ps, state.bound_ps, "", state.best_ps, parts, drops)

    def _parts(self, state: TaskState) -> Iterable[Part]:
        """The way through the steps that takes longest."""
        task = state.task
        landing = task.landing
        input_ps = 0
        if landing is not None and landing.worst_ps is not None:
            input_ps = landing.worst_ps
            yield Part("sensing", landing.where, input_ps, landing.alone_ps, 0, input_ps - landing.alone_ps)
        if state.start_ps > input_ps:
            waited_ps = state.start_ps - input_ps
            yield Part("self-predecessor", "-", waited_ps, 0, 0, waited_ps)
        number = max(range(len(task.steps)), key=lambda n: state.done_ps[n])
        way: list[Part] = []
        while True:
            step = task.steps[number]
            before = max(step.after, key=lambda n: state.done_ps[n], default=None)
            since_ps = state.start_ps if before is None else max(state.start_ps, state.done_ps[before])
            took_ps = state.done_ps[number] - since_ps
            work_ps, blocking_ps = state.held[number]
            work_ps = min(work_ps, took_ps)
            blocking_ps = min(blocking_ps, took_ps - work_ps)
            way.append(Part(step.name, step.server, took_ps, work_ps, blocking_ps, took_ps - work_ps - blocking_ps))
            if before is None:
                break
            number = before
        yield from reversed(way)


def _few(claims: list[Claim]) -> list[Claim]:
    """The claims of one task, where there are many as a single one, from when the first may come on."""
    if len(claims) <= _MANY:
        return claims
    sooner = max(claim.key_ps for claim in claims)  # nominal arrivals: the earliest has the largest key
    late_ps = max(claim.late_ps + sooner - claim.key_ps for claim in claims)
    work_ps = sum(claim.work_ps for claim in claims)
    return [replace(claims[0], work_ps=work_ps, key_ps=sooner, late_ps=late_ps)]


def _named(server: str, found: Found) -> Found:
    return NoBound(f"{server}: {found.reason}") if isinstance(found, NoBound) else found
