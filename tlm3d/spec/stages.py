"""The stages of a task: plain work on a block, and what each of them comes after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from pydantic import Field, model_validator

from tlm3d.errors import did_you_mean, one_of
from tlm3d.spec.quantities import Count, DurationPs, Frozen, Names, SomeNames
from tlm3d.units import clip

NETWORK = "network"  # what a stage may come after beside other stages
ANY = "any"  # where a stage may run that may run anywhere


class StageSpec(Frozen):
    """Plain work on one block: a number of clock cycles, of instructions, or a time."""

    name: str | None = None
    on: Names
    cycles: Count | None = None
    instructions: Count | None = None
    time_ps: DurationPs | None = Field(alias="time", default=None)
    after: SomeNames | None = None  # None: the stage before it in the list
    holds: SomeNames = ()

    @property
    def anywhere(self) -> bool:
        """Whether every block that can run it may."""
        return self.on == (ANY,)

    @model_validator(mode="after")
    def _one_amount(self) -> StageSpec:
        if [self.cycles, self.instructions, self.time_ps].count(None) != 2:
            raise ValueError("expected one of 'cycles: <number>', 'instructions: <number>' and 'time: <time>'")
        if ANY in self.on and not self.anywhere:
            raise ValueError("'on: any' stands for every block that can run the stage: name no other")
        return self


class Precedence:
    """The stages of one task by place in the list: their names, what each comes after, an order to take them in.

    ``early`` come before the network or have nothing to do with it; ``late`` come after it.
    """

    def __init__(self, stages: Sequence[StageSpec]) -> None:
        self.names = tuple(stage.name or f"stage{i}" for i, stage in enumerate(stages))
        self.after = tuple(self._after(i, stage) for i, stage in enumerate(stages))  # names, NETWORK among them
        places = {name: i for i, name in enumerate(self.names)}
        before = [{places[name] for name in names if name in places} for names in self.after]
        readers: list[list[int]] = [[] for _ in stages]
        for i, them in enumerate(before):
            for other in them:
                readers[other].append(i)
        missing = [len(them) for them in before]
        free = [i for i, count in enumerate(missing) if not count]  # a heap: the first in the list goes first
        order: list[int] = []
        late: set[int] = set()
        while free:
            i = heappop(free)
            order.append(i)
            if NETWORK in self.after[i] or not before[i].isdisjoint(late):
                late.add(i)
            for reader in readers[i]:
                missing[reader] -= 1
                if not missing[reader]:
                    heappush(free, reader)
        self.circle = tuple(self.names[i] for i, count in enumerate(missing) if count)  # stages that can never begin
        self.before = tuple(tuple(sorted(them)) for them in before)  # places
        self.early = tuple(i for i in order if i not in late)
        self.late = tuple(i for i in order if i in late)
        self.last_early = tuple(i for i in self.early if late.issuperset(readers[i]))

    def _after(self, place: int, stage: StageSpec) -> tuple[str, ...]:
        if stage.after is not None:
            return tuple(dict.fromkeys(stage.after))
        return (self.names[place - 1],) if place else ()


Fault = tuple[int, str, str]  # place in the list, key, message


def stage_faults(
    stages: Sequence[StageSpec], layers: Collection[str], has_network: bool, resources: Mapping[str, object]
) -> Iterator[Fault]:
    """Everything wrong with names of stages, with what they come after and what they hold."""
    order = Precedence(stages)
    first: dict[str, int] = {}
    for i, (stage, name) in enumerate(zip(stages, order.names, strict=True)):
        key = "name" if stage.name is not None else "on"
        if first.setdefault(name, i) != i:
            yield i, key, f"the name {clip(name)} is taken: stage {first[name]} has it"
        elif name == NETWORK:
            yield i, key, f"'{NETWORK}' is no name for a stage: 'after: {NETWORK}' says another thing"
        elif name in layers:
            yield i, key, f"the name {clip(name)} is taken: a layer of the network has it"
    for i, (stage, name) in enumerate(zip(stages, order.names, strict=True)):
        for other in order.after[i] if stage.after is not None else ():
            if other == NETWORK and not has_network:
                yield i, "after", "the task has no network that the stage could come after"
            elif other == name:
                yield i, "after", "a stage cannot come after itself"
            elif other not in first and other != NETWORK:
                known = [*dict.fromkeys(one for one in order.names if one != name), *([NETWORK] if has_network else [])]
                yield i, "after", f"no stage {clip(other)}{did_you_mean(other, known) or one_of(known)}"
        for place, resource in enumerate(stage.holds):
            if resource not in resources:
                hint = did_you_mean(resource, resources) or one_of(sorted(resources))
                yield i, "holds", f"no resource {clip(resource)} in this workload{hint}"
            elif resource in stage.holds[:place]:
                yield i, "holds", f"{clip(resource)} stands there already"
    if len(first) == len(stages):
        for name in order.circle:
            place = first[name]
            if stages[place].after is not None and name not in order.after[place]:
                yield place, "after", f"a circle of stages, each after another: {', '.join(order.circle)}"
                break
