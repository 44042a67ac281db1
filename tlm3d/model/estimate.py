"""When an item would be done on a block, as far as can be known now: what `place` chooses by.

The recurrence of the block (see pipeline.py) from where it stands: tiles under way, tiles of more urgent items that
wait there, then the item's own. A transfer is as long as on an idle route, and longer by

- what others have posted to its channels and is not through them. Their bursts go first as the channel's arbiter says:
  under ``oldest`` all of them; under ``round-robin``, and among equals under ``priority``, at most one of each rival
  before every burst of ours. While none of our bursts are on a wire it carries theirs, so later transfers meet fewer;
- the time to wake of each channel that is gated when the first burst comes.

What is not foreseen: what others post from now on, loads and stores of the block itself that meet on one channel, links
that fall asleep between the bursts of a transfer, and credits that come late because of rivals. So where nothing is
gated an item that meets nobody takes as long as said or longer, by the wire time of its stores that meet loads at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tlm3d.model.context import Context
from tlm3d.model.job import ItemRun
from tlm3d.model.pipeline import Pipeline
from tlm3d.model.unit import TileRun
from tlm3d.model.work import Piece, TileWork
from tlm3d.tlm.channel import Channel
from tlm3d.tlm.fabric import Queue
from tlm3d.tlm.transfer import Transfer
from tlm3d.units import ceil_div


class Engine(Protocol):
    """What is asked of a block that moves nothing: how long it takes to wake, and the computing time that waits."""

    def delay_ps(self, now_ps: int) -> int:
        """How long until it is awake, if work were posted now."""

    @property
    def queued_ps(self) -> int:
        """Computing time of what waits or runs there."""


def until_done_ps(context: Context, engine: Engine | Pipeline, run: ItemRun) -> int:
    """How long from now until ``run``, were it placed on ``engine`` now, would be done."""
    delay_ps = engine.delay_ps(context.now_ps)
    if not isinstance(engine, Pipeline):
        return delay_ps + engine.queued_ps + run.tiles[0].compute_ps
    return _Line(context, engine, run.job.priority).until_done_ps(run, context.now_ps + delay_ps)


class _Wire:
    """A channel as a block's transfers to come find it."""

    def __init__(self, channel: Channel, queue: Queue, own: frozenset[str], now_ps: int) -> None:
        self.channel, self._now_ps = channel, now_ps
        self._free_ps = max(queue.free_ps, now_ps)
        self._last_served = queue.last_served
        self._rivals = [one for one in queue.transfers if one.initiator not in own]
        self._left_ps = sum(one.left_ps for one in self._rivals)
        self._used_ps = 0  # by us since now
        self._idle_from_ps = queue.free_ps + self._left_ps

    def wait_ps(self, at_ps: int, initiator: str, priority: int, bursts: int) -> tuple[int, int]:
        """How long ``bursts`` of ours, the first here at ``at_ps``, are held up in all by rivals, and by a gate."""
        asleep_ps = 0
        sleep = self.channel.sleep
        if sleep is not None and at_ps > self._idle_from_ps + sleep.after_ps:
            asleep_ps = sleep.wake_ps
        passed_ps = at_ps - self._free_ps - self._used_ps
        wait_ps, left_ps = max(0, -passed_ps), self._left_ps - max(0, passed_ps)
        if left_ps > 0:
            begun_ps = -passed_ps % max(one.burst_ps for one in self._rivals) if passed_ps > 0 else 0
            first_ps = sum(
                min(one.left_ps, self._turns(one.initiator, one.priority, initiator, priority, bursts) * one.burst_ps)
                for one in self._rivals
                if one.initiator != initiator
            )
            wait_ps += min(left_ps, begun_ps + first_ps)
        return wait_ps, asleep_ps

    def _turns(self, rival: str, rival_priority: int, initiator: str, priority: int, bursts: int) -> int:
        """How many bursts of a rival may go before the last of ours."""
        channel = self.channel
        if channel.arbiter == "oldest" or (channel.arbiter == "priority" and rival_priority < priority):
            return self._left_ps  # all: there are fewer
        if channel.arbiter == "priority" and rival_priority > priority:
            return 0
        last = self._last_served
        goes_first = (rival <= last, rival) < (initiator <= last, initiator)
        return bursts if goes_first else bursts - 1

    def use(self, own_ps: int, until_ps: int) -> None:
        """A transfer of ours has held the wire for ``own_ps`` and is through it at ``until_ps``."""
        self._used_ps += own_ps
        self._idle_from_ps = max(self._idle_from_ps, until_ps)


class _Line:
    """The pipeline of one block, tile by tile into the future. All times are absolute."""

    def __init__(self, context: Context, engine: Pipeline, priority: int) -> None:
        self._context, self._engine, self._priority = context, engine, priority
        self._own = frozenset(engine.initiators[what] for what in ("load", "stage"))  # what they do is in the line
        self._wires: dict[str, _Wire] = {}
        now_ps = context.now_ps
        self._load_ps = now_ps  # the load port is free
        self._computed_ps = [now_ps, now_ps]  # of the last two tiles
        self._stored_ps = [now_ps, now_ps]
        self._piece: Piece | None = None

    def until_done_ps(self, run: ItemRun, awake_ps: int) -> int:
        """From now until the last tile of ``run`` is stored; the block is awake from ``awake_ps`` on."""
        now_ps = self._context.now_ps
        self._go_on()
        for other in self._engine.ahead_of(run):
            self._run(other.tiles[other.next_tile :])
        self._load_ps = max(self._load_ps, awake_ps)
        self._run(run.tiles)
        return max(self._computed_ps[-1], self._stored_ps[-1]) - now_ps

    def _go_on(self) -> None:
        """The tiles under way."""
        engine, now_ps = self._engine, self._context.now_ps
        backlog = engine.backlog()
        for number, tile in enumerate(backlog.to_store):
            self._store(tile.work, now_ps, self._flight_ps("store") if number == 0 else None)
        if backlog.computing is not None and backlog.computing.compute_op is not None:
            self._compute(backlog.computing.work, now_ps, backlog.computing.compute_op.end_ps)
        for tile in backlog.loaded:
            self._compute(tile.work, now_ps)
        if backlog.loading is not None:
            self._load_ps = self._still_loads_ps(backlog.loading)
            self._compute(backlog.loading.work, self._load_ps)

    def _still_loads_ps(self, tile: TileRun) -> int:
        """When the tile that loads now has loaded."""
        at_ps = self._flight_ps("load") or self._context.now_ps
        for load in tile.work.loads[tile.next_load :]:
            at_ps = self._moved_ps("load", load.route.channels, load.bytes, at_ps)
        return at_ps

    def _flight_ps(self, what: str) -> int | None:
        """When what the block's port moves now has arrived; None where it moves nothing."""
        transfer = self._context.fabric.flight(self._engine.initiators[what])
        if transfer is None:
            return None
        return transfer.finish_ps if transfer.finish_ps >= 0 else self._shared_ps(transfer)

    def _shared_ps(self, transfer: Transfer) -> int:
        """About when a transfer that shares channels arrives: its own bytes left and what may go before them."""
        now_ps, latest_ps = self._context.now_ps, 0
        for channel in transfer.route:
            queue = self._context.fabric.queue(channel)
            own = next((one for one in queue.transfers if one.initiator == transfer.initiator), None)
            if own is not None:
                wire = _Wire(channel, queue, self._own, now_ps)
                bursts = ceil_div(own.left_ps, own.burst_ps)
                held_ps, _ = wire.wait_ps(now_ps, own.initiator, own.priority, bursts)
                latest_ps = max(latest_ps, held_ps + own.left_ps)
        return max(now_ps + 1, now_ps + latest_ps + transfer.route[-1].latency_ps)

    def _run(self, tiles: Iterable[TileWork]) -> None:
        single = self._engine.buffers == 1
        for tile in tiles:
            begin_ps = max(self._load_ps, self._computed_ps[-1 if single else 0])
            if single:
                begin_ps = max(begin_ps, self._stored_ps[-1])
            piece = tile.piece
            if piece is not None and tile.loads_weights and piece is not self._piece:
                self._piece = piece
                begin_ps = self._moved_ps("load", piece.route.channels, piece.bytes, begin_ps)
            for load in tile.loads:
                begin_ps = self._moved_ps("load", load.route.channels, load.bytes, begin_ps)
            self._load_ps = begin_ps
            self._compute(tile, begin_ps)

    def _compute(self, tile: TileWork, loaded_ps: int, end_ps: int | None = None) -> None:
        if end_ps is None:
            end_ps = max(loaded_ps, self._computed_ps[1], self._stored_ps[0]) + tile.compute_ps
        self._computed_ps = [self._computed_ps[1], end_ps]
        self._store(tile, end_ps)

    def _store(self, tile: TileWork, computed_ps: int, end_ps: int | None = None) -> None:
        if tile.store is None:
            return
        route, n_bytes = tile.store
        if end_ps is None:
            begin_ps = max(computed_ps, self._stored_ps[1])
            end_ps = self._moved_ps("store", route.channels, n_bytes, begin_ps)
        self._stored_ps = [self._stored_ps[1], end_ps]

    def _moved_ps(self, what: str, route: tuple[Channel, ...], n_bytes: int, at_ps: int) -> int:
        """When ``n_bytes`` posted at ``at_ps`` have arrived."""
        passage = self._context.fabric.passage(route, n_bytes)
        initiator, held_ps, waking_ps = self._engine.initiators[what], 0, 0
        for hop, channel in enumerate(route):
            wire = self._wires.get(channel.name)
            if wire is None:
                queue = self._context.fabric.queue(channel)
                if not queue.transfers and queue.free_ps <= self._context.now_ps and channel.sleep is None:
                    continue
                wire = self._wires[channel.name] = _Wire(channel, queue, self._own, self._context.now_ps)
            here_ps = at_ps + waking_ps + passage.first_start_ps[hop]
            held, waking = wire.wait_ps(here_ps, initiator, self._priority, passage.bursts)
            held_ps, waking_ps = max(held_ps, held), waking_ps + waking
        end_ps = at_ps + passage.duration_ps + held_ps + waking_ps
        for hop, channel in enumerate(route):
            if channel.name in self._wires:
                self._wires[channel.name].use(passage.all_busy_ps[hop], end_ps)
        return end_ps
