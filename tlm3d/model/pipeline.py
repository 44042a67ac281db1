"""A tile-running block: load, compute and store overlap on double buffers.

    L_i = max(L_{i-1}, C_{i-2}) + load_i
    C_i = max(L_i, C_{i-1}, S_{i-2}) + compute_i
    S_i = max(C_i, S_{i-1}) + store_i

with i counting the tiles of all jobs in the order they were committed. A tile is committed when its load starts, and
at most two are committed and not computed. A tile that stores nothing is finished with its computation.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.model.context import Busy, Context, Owner
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun, Urgency
from tlm3d.model.op import Op, latest
from tlm3d.model.topology import Route
from tlm3d.model.work import TileWork
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import NEVER, NORMAL, PICK
from tlm3d.tlm.transfer import Transfer

_REMEMBERED = 64  # moves; a longer wait books its beginning to the holder of the earliest of them


class _Waiting(NamedTuple):
    urgency: Urgency
    position: int
    run: ItemRun


class _Ahead:
    """The first piece of a layer's weights, fetched into the stage while the layer before it still runs."""

    __slots__ = ("op", "run", "waiting")

    def __init__(self, run: ItemRun, op: Op) -> None:
        self.run, self.op = run, op
        self.waiting: _TileRun | None = None  # the first tile of the layer, which goes on once the piece is there

    @property
    def has_landed(self) -> bool:
        return self.op.end_ps > self.op.start_ps


class _Move(NamedTuple):
    """A transfer that held one of the ports, and the tile it was for."""

    op: Op
    tile: _TileRun


class _TileRun:
    """A committed tile on its way through the block."""

    __slots__ = ("compute_op", "load_op", "next_load", "run", "store_op", "tile", "work")

    def __init__(self, run: ItemRun, tile: int) -> None:
        self.run, self.tile = run, tile
        self.work: TileWork = run.tiles[tile]
        self.next_load = 0
        self.load_op: Op | None = None
        self.compute_op: Op | None = None
        self.store_op: Op | None = None


class Pipeline:
    """The engine of one compute block; ``finished(run, op)`` is called when the last tile of an item is done."""

    def __init__(
        self, context: Context, name: BlockName, spec: ComputeSpec, finished: Callable[[ItemRun, Op], None]
    ) -> None:
        self._context, self._name, self._buffers = context, name, spec.buffers
        self._finished = finished
        self._path = ".".join(name)
        self._component = Component(*name)
        self._loader, self._storer = f"{self._path}.load", f"{self._path}.store"
        self._stager = f"{self._path}.stage"
        self._ahead: dict[ItemRun, _Ahead] = {}
        self._waiting: list[_Waiting] = []
        self._loading: _TileRun | None = None
        self._stalled: _TileRun | None = None  # its weights are in, its inputs do not exist yet
        self._loaded: deque[_TileRun] = deque()
        self._computing: _TileRun | None = None
        self._to_store: deque[_TileRun] = deque()  # computed; the first one is being stored
        self._committed: deque[_TileRun] = deque(maxlen=2)  # the last two, done or not
        self._computed: deque[_TileRun] = deque(maxlen=2)
        self._stored: _TileRun | None = None  # the last one
        self._loads: deque[_Move] = deque(maxlen=_REMEMBERED)
        self._stores: deque[_Move] = deque(maxlen=_REMEMBERED)
        self._picking = False
        self._pick_alarm = Alarm(context.env, self._pick)
        self._compute_alarm = Alarm(context.env, self._compute_ends)
        self.busy = Busy()
        self.gate = Gate(context.recording, self._component, spec.states.gated)
        self._states = States(context.recording, self._component, powers_of(spec))
        self.queued_ps = 0  # computing time of what waits or is committed

    # ------------------------------------------------------------ what waits

    def enqueue(self, run: ItemRun) -> None:
        """``run`` may have its next tile committed from now on."""
        run.queued = True
        self.gate.engage(self._context.now_ps)
        self.queued_ps += sum(tile.compute_ps for tile in run.tiles)
        insort(self._waiting, _Waiting(run.job.urgency, run.item.position, run), key=lambda w: w[:2])
        self._request_pick()

    def withdraw(self, run: ItemRun) -> None:
        """``run`` commits no more tiles: its job was aborted."""
        self._waiting = [w for w in self._waiting if w.run is not run]
        self.queued_ps -= sum(tile.compute_ps for tile in run.tiles[run.next_tile :])
        if self._stalled is not None and self._stalled.run is run:
            self._abandon(self._stalled)
        self._release_if_idle()

    def _release_if_idle(self) -> None:
        if not (self._waiting or self._loading or self._loaded or self._computing or self._to_store):
            self.gate.release(self._context.now_ps)

    def inputs_complete(self, run: ItemRun) -> None:
        """The layers that ``run`` reads have stored: a tile that waits for them goes on loading."""
        stalled = self._stalled
        if stalled is not None and stalled.run is run:
            self._stalled = None
            self._load_next(stalled)

    def holder(self, run: ItemRun) -> tuple[str, str, str]:
        """What ``run`` waits for now, being on no port and not computing: (bucket, where, holder)."""
        if self.gate.delay_ps(self._context.now_ps):
            return ("wake-up", self._path, "-")
        storing = list(self._to_store)[:1]
        if any(tile.run is run for tile in self._to_store):
            ahead = storing
        elif any(tile.run is run for tile in self._loaded):
            ahead = [tile for tile in (self._computing, *storing) if tile is not None]
        else:
            ahead = [tile for tile in (self._loading, *reversed(self._loaded), self._computing) if tile is not None]
        return self._wait(run, next((tile for tile in ahead if tile.run.job is not run.job), None))

    def _wait(self, run: ItemRun, other: _TileRun | None) -> tuple[str, str, str]:
        """(bucket, where, holder) of waiting for the block while it works for ``other``."""
        if other is None or other.run.job is run.job:
            return ("overhead", self._path, "-")
        job = other.run.job
        return ("preempt" if job.urgency < run.job.urgency else "np-block", self._path, job.label)

    def _waits(self, run: ItemRun, since_ps: int, now_ps: int, moves: Sequence[_Move]) -> tuple[Segment, ...]:
        """Who held the block over [since, now) while ``run`` waited: one of the ``moves``, or the tile it was for.

        While a port moves another job's data over a link, what is waited for is the link.
        """
        segments: list[Segment] = []
        at_ps = now_ps
        latest_tiles = (*reversed(self._committed), *reversed(self._computed))
        held = self._wait(run, next((tile for tile in latest_tiles if tile.run.job is not run.job), None))
        for move in reversed(moves):
            if at_ps <= since_ps:
                break
            end_ps = max(since_ps, min(at_ps, move.op.end_ps))
            start_ps = min(end_ps, max(since_ps, move.op.start_ps))
            is_own = move.tile.run.job is run.job
            held = held if is_own else self._wait(run, move.tile)
            if end_ps < at_ps:
                segments.append(Segment(held[0], end_ps, at_ps, *held[1:]))
            if start_ps < end_ps:
                over_link = ("link-queue", move.op.where, held[2]) if move.op.bucket == "link-transfer" else held
                cause = (move.op.bucket, move.op.where, "-") if is_own else over_link
                segments.append(Segment(cause[0], start_ps, end_ps, *cause[1:]))
            at_ps = start_ps
        if at_ps > since_ps:
            segments.append(Segment(held[0], since_ps, at_ps, *held[1:]))
        return tuple(reversed(segments))

    def _abandon(self, tile: _TileRun) -> None:
        """The inputs of ``tile`` will never exist: the port and its buffer are free for others."""
        self._loading = self._stalled = None
        self.queued_ps -= tile.work.compute_ps
        self._release_if_idle()
        self._request_pick()

    # ------------------------------------------------------------ pick and load

    def _request_pick(self) -> None:
        if not self._picking:
            self._picking = True
            self._context.env.schedule(self._pick_alarm, PICK, self.gate.delay_ps(self._context.now_ps))

    def _pick(self) -> None:
        """Commit tiles while the load port is free and a buffer is."""
        self._picking = False
        while self._waiting and self._loading is None and self._has_room(self._waiting[0].run):
            run = self._waiting[0].run
            tile_run = _TileRun(run, run.next_tile)
            run.next_tile += 1
            if run.next_tile == len(run.tiles):
                self._waiting.pop(0)
            self._commit(tile_run)

    def _has_room(self, run: ItemRun) -> bool:
        """Whether a buffer is free for the next tile of ``run``, and room for its piece of staged weights."""
        under_way = [*reversed(self._loaded), *([self._computing] if self._computing is not None else [])]
        if self._buffers == 1:
            return not under_way and not self._to_store
        if len(under_way) >= 2:
            return False
        work = run.tiles[run.next_tile]
        if not work.opens_piece:
            return True
        if run in self._ahead:
            return True
        held = self._held_bytes(under_way)
        if held and held + work.piece > work.room:
            return False
        if held + self._fetched_bytes() + work.piece > work.room:  # what was fetched for later has to go, and to come again
            self._ahead = {one: ahead for one, ahead in self._ahead.items() if not ahead.has_landed}
        return True

    @staticmethod
    def _held_bytes(under_way: Sequence[_TileRun]) -> int:
        """Staged weights that tiles still need, the latest tile first."""
        held, last = 0, None
        for tile in reversed(under_way):
            if tile.run is not last or tile.work.opens_piece:
                held += tile.work.piece
            last = tile.run
        return held

    def _fetch_ahead(self, tile: _TileRun) -> None:
        """A layer begins: the first piece of weights of one that reads it here comes into the stage now, if it fits."""
        self._ahead = {run: one for run, one in self._ahead.items() if not (one.has_landed and run.job.ended)}
        if not all(one.has_landed for one in self._ahead.values()):
            return
        job, held = tile.run.job, tile.work.piece + self._fetched_bytes()
        for position in tile.run.item.readers:
            reader = job.items[position]
            if reader.block != self._name or not reader.tiles or reader.next_tile or reader in self._ahead:
                continue
            work = reader.tiles[0]
            if work.opens_piece and held + work.piece <= work.room:
                now_ps = self._context.now_ps
                bucket, where = self._context.transfer_bucket(work.loads[0].route)
                op = job.begin_op(Op(bucket, where, now_ps, now_ps, tile.load_op))
                self._ahead[reader] = _Ahead(reader, op)
                self._post_ahead(self._ahead[reader])
                return

    def _fetched_bytes(self) -> int:
        return sum(run.tiles[0].piece for run in self._ahead)

    def _post_ahead(self, ahead: _Ahead) -> None:
        context, run, op = self._context, ahead.run, ahead.op
        job, load = run.job, run.tiles[0].loads[0]
        owner = Owner(job.task, job.index, job.label, load.route, op)

        def arrived(transfer: Transfer) -> None:
            job.end_op(op, context.now_ps)
            context.split_transfer(transfer, op)
            context.book_transfer(transfer, owner)
            self._record("stage", run, 0, op.start_ps, op.end_ps, 0)
            if ahead.waiting is not None:
                self._staged_ahead(ahead.waiting, ahead)

        context.fabric.post(self._stager, load.route.channels, load.bytes, arrived, job.view.priority, owner)

    def _staged_ahead(self, tile: _TileRun, ahead: _Ahead) -> None:
        """The first tile of a layer goes on: its piece lies in the stage."""
        del self._ahead[tile.run]
        tile.next_load += 1
        tile.load_op = tile.run.load_op = latest(tile.load_op, ahead.op)
        self._load_next(tile)

    def _commit(self, tile: _TileRun) -> None:
        now_ps = self._context.now_ps
        run = tile.run
        job = run.job
        if job.start_ps < 0:
            job.start_ps = now_ps
        # Own operations that this load waited for, and the others' that held the port or the buffer.
        before = [t.load_op for t in list(self._committed)[-1:]] + [t.compute_op for t in list(self._computed)[-1:]]
        gates = [*list(self._committed)[-1:], *list(self._computed)[-1:]]
        own = [op for t, op in zip(gates, before, strict=True) if t.run.job is job]
        has_weights = bool(tile.work.loads) and not tile.work.loads[0].is_input
        ready = run.ready_op if not run.missing or not has_weights else job.input_op
        origin = latest(ready, job.input_op, run.load_op, *own)
        since_ps = origin.end_ps if origin is not None else job.release_ps
        waits = self.gate.waits(since_ps, now_ps, lambda start, end: self._waits(run, start, end, self._loads))
        self._committed.append(tile)
        self._loading = tile
        tile.load_op = Op("overhead", self._path, now_ps, now_ps, origin, waits)  # takes no time: the wait ends here
        run.load_op, job.last_op = tile.load_op, latest(job.last_op, tile.load_op)
        if run.committed:
            self._offer_prefetch(run)
        self._load_next(tile)
        if tile.tile == 0 and not job.ended:
            self._fetch_ahead(tile)

    def _offer_prefetch(self, run: ItemRun) -> None:
        """Layers that read ``run`` here may have their weights loaded while its last tiles are still under way."""
        job = run.job
        for position in run.item.readers:
            reader = job.items[position]
            if reader.block != self._name or reader.queued or not reader.tiles or job.ended:
                continue
            loads = reader.tiles[0].loads
            if not loads or loads[0].is_input:
                continue
            reads = [job.items[p] for p in reader.item.reads]
            if all(r.done is not None or (r.block == self._name and r.committed) for r in reads):
                self.enqueue(reader)

    def _load_next(self, tile: _TileRun) -> None:
        if tile.next_load == len(tile.work.loads):
            self._load_ends(tile)
            return
        load = tile.work.loads[tile.next_load]
        ahead = self._ahead.get(tile.run) if load.staged else None
        if ahead is not None:
            if ahead.has_landed:
                self._staged_ahead(tile, ahead)
            else:
                ahead.waiting = tile
            return
        if load.is_input and tile.run.missing:
            self._stalled = tile
            if tile.run.job.ended:
                self._abandon(tile)
            return
        before = latest(tile.load_op, tile.run.ready_op if load.is_input else None)
        tile.next_load += 1
        self._transfer(tile, self._loader, load.route, load.bytes, before, self._loaded_one)

    def _loaded_one(self, tile: _TileRun, op: Op) -> None:
        tile.load_op = tile.run.load_op = op
        self._load_next(tile)

    def _load_ends(self, tile: _TileRun) -> None:
        self._loading = None
        self._loaded.append(tile)
        self._try_compute()
        self._request_pick()

    def _transfer(
        self,
        tile: _TileRun,
        initiator: str,
        route: Route,
        n_bytes: int,
        before: Op | None,
        then: Callable[[_TileRun, Op], None],
    ) -> None:
        context, job = self._context, tile.run.job
        now_ps = context.now_ps
        bucket, where = context.transfer_bucket(route)
        op = job.begin_op(Op(bucket, where, now_ps, now_ps, before))
        owner = Owner(job.task, job.index, job.label, route, op)
        what, moves = ("store", self._stores) if initiator is self._storer else ("load", self._loads)
        moves.append(_Move(op, tile))

        def arrived(transfer: Transfer) -> None:
            end_ps = context.now_ps
            job.end_op(op, end_ps)
            context.split_transfer(transfer, op)
            context.book_transfer(transfer, owner)
            self._record(what, tile.run, tile.tile, op.start_ps, end_ps, 0)
            then(tile, op)

        context.fabric.post(initiator, route.channels, n_bytes, arrived, job.view.priority, owner)

    # ------------------------------------------------------------ compute

    def _try_compute(self) -> None:
        if self._computing is not None or not self._loaded or len(self._to_store) >= 2:
            return
        tile = self._loaded.popleft()
        job = tile.run.job
        now_ps = self._context.now_ps
        gates = [(t, t.compute_op) for t in self._computed] + (
            [(self._stored, self._stored.store_op)] if self._stored else []
        )
        own = latest(tile.load_op, *(op for t, op in gates if t.run.job is job))
        others = [(op.end_ps, t) for t, op in gates if t.run.job is not job and op is not None]
        other = max(others, key=lambda e: e[0])[1] if others else None
        since_ps = own.end_ps if own is not None else job.release_ps
        held = self._wait(tile.run, other)
        waits = (Segment(held[0], since_ps, now_ps, *held[1:]),) if since_ps < now_ps else ()
        op = job.begin_op(Op("compute", self._path, now_ps, now_ps + tile.work.compute_ps, own, waits))
        tile.compute_op = op
        self._computing = tile
        self.busy.add(now_ps, op.end_ps)
        self._record("compute", tile.run, tile.tile, now_ps, op.end_ps, tile.work.energy_aj)
        self._context.env.schedule(self._compute_alarm, NORMAL, tile.work.compute_ps)

    def _compute_ends(self) -> None:
        tile = self._computing
        assert tile is not None
        assert tile.compute_op is not None
        job = tile.run.job
        now_ps = self._context.now_ps
        job.end_op(tile.compute_op, now_ps)
        self._context.recording.macs_executed += tile.work.macs
        self.queued_ps -= tile.work.compute_ps
        self._computing = None
        self._computed.append(tile)
        if tile.work.store is None:
            self._tile_done(tile, tile.compute_op)
        else:
            self._to_store.append(tile)
            if len(self._to_store) == 1:
                self._store(tile)
        self._try_compute()
        self._release_if_idle()
        self._request_pick()

    # ------------------------------------------------------------ store

    def _store(self, tile: _TileRun) -> None:
        assert tile.work.store is not None
        route, n_bytes = tile.work.store
        own = self._stored.store_op if self._stored is not None and self._stored.run.job is tile.run.job else None
        before = latest(tile.compute_op, own)
        now_ps = self._context.now_ps
        if before is not None and before.end_ps < now_ps:  # the port was another job's
            waits = self._waits(tile.run, before.end_ps, now_ps, self._stores)
            before = Op("overhead", self._path, now_ps, now_ps, before, waits)
        self._transfer(tile, self._storer, route, n_bytes, before, self._store_ends)

    def _store_ends(self, tile: _TileRun, op: Op) -> None:
        tile.store_op = op
        self._stored = self._to_store.popleft()
        if self._to_store:
            self._store(self._to_store[0])
        self._tile_done(tile, op)
        self._try_compute()
        self._release_if_idle()

    def _tile_done(self, tile: _TileRun, op: Op) -> None:
        run = tile.run
        run.finished_tiles += 1
        if run.finished_tiles == len(run.tiles):
            run.done = op
            self._finished(run, op)

    def _record(self, what: str, run: ItemRun, tile: int, start_ps: int, end_ps: int, energy_aj: int) -> None:
        job = run.job
        self._context.recording.spans.append(
            Span(self._component, what, job.task, job.index, run.item.name, tile, start_ps, end_ps, energy_aj)
        )

    @property
    def settled_ps(self) -> int:
        """What is booked later starts there or later, but for transfers, whose booking the fabric knows of."""
        return NEVER

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        going_on = self._states.settle(self.busy.intervals, self.gate.gated(), until_ps)
        self.busy.forget(until_ps)
        self.gate.forget(until_ps)
        return going_on

    def close(self) -> None:
        """At the horizon: the states of the block over the window."""
        self._states.close(self.busy.intervals, self.gate.gated())
