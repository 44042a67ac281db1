"""The door for modules of a user's own: what they see of the platform and workload that they run beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from simpy import Environment

from tlm3d.errors import ElaborationError, ModuleError, did_you_mean, one_of
from tlm3d.model.context import Context, Owner
from tlm3d.model.op import Op
from tlm3d.record.recording import Component, Span, StateInterval
from tlm3d.tlm.carrier import Carrier, Channels
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Fabric
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.payload import Account, Payload
from tlm3d.tlm.transfer import Transfer

_NOBODY = Account("-")


class Surroundings:
    """Given to a function that builds modules, before time begins: ``simulate(..., modules=[build])``.

    ``env``: SimPy's clock, in whole picoseconds. ``channels``: those of the platform, by the names of the report.
    ``carrier``: what an Interconnect or a MemoryTarget moves bytes with; they compete with the workload's, and their
    energy is booked to the payload's Account. ``fabric``: the kernel below it; what is posted there directly takes its
    place on the channels and is booked by nobody. ``seed`` and ``horizon_ps``: those of the run.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.env: Environment = context.env
        self.fabric: Fabric = context.fabric
        self.carrier = Carrier(context.env, context.fabric, _Ledger(context))
        self.channels: Mapping[str, Channel] = MappingProxyType(context.topology.channels)
        self.seed = context.recording.seed
        self.horizon_ps = context.recording.horizon_ps

    def route(self, *names: str) -> Channels:
        """The channels of these names, in this order. Raises ElaborationError for one that the platform has not."""
        unknown = [name for name in names if name not in self.channels]
        if unknown:
            raise ElaborationError(
                [f"no channel '{n}'{did_you_mean(n, self.channels) or one_of(self.channels)}" for n in unknown]
            )
        return tuple(self.channels[name] for name in names)

    def consumer(self, die: str, name: str) -> Consumer:
        """Something of yours on ``die`` that spends energy. Raises ElaborationError for a name that is taken."""
        recording = self._context.recording
        if die not in recording.dies:
            raise ElaborationError(f"no die '{die}'{did_you_mean(die, recording.dies) or one_of(recording.dies)}")
        component = Component(die, name)
        if component in recording.components:
            raise ElaborationError(f"die {die} has a '{name}' already; choose another name")
        recording.components = (*recording.components, component)
        return Consumer(self._context, component)


class Consumer:
    """Books the energy of a user's own hardware into the accounts, next to that of blocks and links."""

    def __init__(self, context: Context, component: Component) -> None:
        self._context, self.component = context, component

    def spend(
        self, energy_aj: int, start_ps: int, end_ps: int, account: Account = _NOBODY, what: str = "module"
    ) -> None:
        """``energy_aj`` over [start_ps, end_ps), spread evenly. Raises ModuleError unless both are positive integers.

        ``what`` names the account; ``compute`` counts as computing in the efficiencies.
        """
        self._check(energy_aj, start_ps, end_ps, "energy_aj")
        self._context.recording.spans.append(
            Span(self.component, what, account.task, account.index, "-", -1, start_ps, end_ps, energy_aj)
        )

    def draw(self, power_nw: int, start_ps: int, end_ps: int, what: str = "idle") -> None:
        """A constant power over [start_ps, end_ps), which no task owns: leakage, a bias, a state."""
        self._check(power_nw, start_ps, end_ps, "power_nw")
        self._context.recording.states.append(StateInterval(self.component, what, power_nw, start_ps, end_ps))

    def _check(self, amount: int, start_ps: int, end_ps: int, name: str) -> None:
        whole = all(type(number) is int for number in (amount, start_ps, end_ps))
        if not whole or amount < 0 or not 0 <= start_ps < end_ps:
            what = f"booked {name}={amount!r} over [{start_ps!r}, {end_ps!r}) ps; it takes whole numbers, and time"
            raise ModuleError(self._context.now_ps, ".".join(self.component), what)


class _Ledger:
    """Books the bytes of payloads as those of the workload are booked."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def owner(self, initiator: str, payload: Payload, route: Channels) -> Owner:
        context, topology = self._context, self._context.topology
        for channel in route:
            if topology.channels.get(channel.name) is not channel:
                what = f"sent a payload over '{channel.name}', which is not of the platform; use your own Carrier"
                raise ModuleError(context.now_ps, initiator, what)
        account = payload.get_extension(Account) or _NOBODY
        name = initiator if account.task == "-" else account.task
        label = name if account.index < 0 else f"{name}#{account.index}"
        priced = topology.payload_route(route, payload.is_write)
        bucket, where = context.transfer_bucket(priced)
        return Owner(account.task, account.index, label, priced, Op(bucket, where, context.now_ps, context.now_ps))

    def book(self, transfer: Transfer) -> None:
        assert isinstance(transfer.owner, Owner)
        self._context.book_transfer(transfer, transfer.owner)


Builder = Callable[[Surroundings], Module]


def build(builders: Sequence[Builder], context: Context) -> None:
    """Let ``builders`` build their modules, then elaborate those. Raises ElaborationError."""
    if not builders:
        return
    surroundings = Surroundings(context)
    tops = [builder(surroundings) for builder in builders]
    _check_tops(tops, context)
    tops.sort(key=lambda top: top.name)
    for top in tops:
        elaborate(top)
    names = ", ".join(top.name for top in tops)
    context.recording.notes = (*context.recording.notes, f"with modules beside the platform: {names}")


def _check_tops(tops: Iterable[Module], context: Context) -> None:
    """Their names begin the names of initiators, which no two may share."""
    taken = set(context.recording.dies)
    for number, top in enumerate(tops):
        if not isinstance(top, Module):
            raise ElaborationError(f"modules[{number}]: must return the Module at its top, returned {top!r}")
        if top.env is not context.env:
            raise ElaborationError(f"{top.path}: lives on another clock; build it with the env it is given")
        if top.name in taken:
            raise ElaborationError(f"{top.path}: the name is that of a die or of another top module; choose another")
        taken.add(top.name)
