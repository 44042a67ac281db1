"""A tile-running block: load, compute and store overlap on double buffers.

    L_i = max(L_{i-1}, C_{i-2}) + load_i
    C_i = max(L_i, C_{i-1}, S_{i-2}) + compute_i
    S_i = max(C_i, S_{i-1}) + store_i

with i counting the tiles of all jobs in the order they were committed. A tile is committed when its load starts, and
at most two are committed and not computed. A tile that stores nothing is finished with its computation.

With one buffer a tile is committed when the one before has been stored. Weights may have to pass through a stage first.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.model.context import Busy, Context, Owner
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun, Urgency
from tlm3d.model.op import Op, latest
from tlm3d.model.stage import Held, Stage
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


class _Move(NamedTuple):
    """A transfer that held one of the ports, and the item it was for."""

    op: Op
    run: ItemRun


class TileRun:
    """A committed tile on its way through the block."""

    __slots__ = ("compute_op", "load_op", "next_load", "run", "store_op", "tile", "work")

    def __init__(self, run: ItemRun, tile: int) -> None:
        self.run, self.tile = run, tile
        self.work: TileWork = run.tiles[tile]
        self.next_load = 0
        self.load_op: Op | None = None
        self.compute_op: Op | None = None
        self.store_op: Op | None = None


class Backlog(NamedTuple):
    """The tiles under way, of ``to_store`` the first one is being stored."""

    to_store: tuple[TileRun, ...]
    computing: TileRun | None
    loaded: tuple[TileRun, ...]
    loading: TileRun | None


class Pipeline:
    """The engine of one compute block; ``finished(run, op)`` is called when the last tile of an item is done."""

    def __init__(
        self, context: Context, name: BlockName, spec: ComputeSpec, finished: Callable[[ItemRun, Op], None]
    ) -> None:
        self._context, self._name, self.buffers = context, name, spec.buffers
        self._finished = finished
        self._path = ".".join(name)
        self._component = Component(*name)
        self.initiators = {what: f"{self._path}.{what}" for what in ("stage", "load", "store")}
        self._stage = Stage()
        self._ahead_under_way = False
        self._newest: ItemRun | None = None  # the layer that began last, of those whose weights may be staged
        self._waiting: list[_Waiting] = []
        self._loading: TileRun | None = None
        self._stalled: TileRun | None = None  # its weights are in, its inputs do not exist yet
        self._loaded: deque[TileRun] = deque()
        self._computing: TileRun | None = None
        self._to_store: deque[TileRun] = deque()  # computed; the first one is being stored
        self._committed: deque[TileRun] = deque(maxlen=2)  # the last two, done or not
        self._computed: deque[TileRun] = deque(maxlen=2)
        self._stored: TileRun | None = None  # the last one
        self._moves: dict[str, deque[_Move]] = {what: deque(maxlen=_REMEMBERED) for what in self.initiators}
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

    def backlog(self) -> Backlog:
        """The tiles under way now."""
        return Backlog(tuple(self._to_store), self._computing, tuple(self._loaded), self._loading)

    def ahead_of(self, run: ItemRun) -> list[ItemRun]:
        """The items that wait here and would go before ``run``, in order."""
        own = (run.job.urgency, run.item.position)
        return [waiting.run for waiting in self._waiting if waiting[:2] < own]

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
            ahead += storing if self.buffers == 1 else []
        return self._wait(run, self._other([tile.run for tile in ahead], run))

    def _other(self, runs: Sequence[ItemRun], run: ItemRun) -> ItemRun | None:
        """The first of ``runs`` that is of another job than ``run``; else the last that fetched ahead and is."""
        fetched = (move.run for move in reversed(self._moves["stage"]))
        return next((other for other in (*runs, *fetched) if other.job is not run.job), None)

    def _wait(self, run: ItemRun, other: ItemRun | None) -> tuple[str, str, str]:
        """(bucket, where, holder) of waiting for the block while it works for ``other``."""
        if other is None or other.job is run.job:
            return ("overhead", self._path, "-")
        job = other.job
        return ("preempt" if job.urgency < run.job.urgency else "np-block", self._path, job.label)

    def _waits(self, run: ItemRun, since_ps: int, now_ps: int, moves: Sequence[_Move]) -> tuple[Segment, ...]:
        """Who held the block over [since, now) while ``run`` waited: one of the ``moves``, or the item it was for.

        While a port moves another job's data over a link, what is waited for is the link.
        """
        segments: list[Segment] = []
        at_ps = now_ps
        latest_tiles = (*reversed(self._committed), *reversed(self._computed))
        held = self._wait(run, self._other([tile.run for tile in latest_tiles], run))
        for move in reversed(moves):
            if at_ps <= since_ps:
                break
            end_ps = max(since_ps, min(at_ps, move.op.end_ps))
            start_ps = min(end_ps, max(since_ps, move.op.start_ps))
            is_own = move.run.job is run.job
            held = held if is_own else self._wait(run, move.run)
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

    def _abandon(self, tile: TileRun) -> None:
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
            tile_run = TileRun(run, run.next_tile)
            run.next_tile += 1
            if run.next_tile == len(run.tiles):
                self._waiting.pop(0)
            self._commit(tile_run)

    def _has_room(self, run: ItemRun) -> bool:
        """Whether a buffer is free for the next tile of ``run``, and room for its piece of staged weights."""
        under_way = self._under_way()
        if len(under_way) >= self.buffers or (self.buffers == 1 and self._to_store):
            return False
        return self._stage.admits(run, under_way)

    def _under_way(self) -> list[TileRun]:
        """The tiles that are committed and not computed."""
        return [tile for tile in (self._computing, *self._loaded, self._loading) if tile is not None]

    # ------------------------------------------------------------ staged weights

    def _bring_piece(self, tile: TileRun) -> None:
        """``tile`` loads once its piece of staged weights, if it needs one, lies in the stage."""
        run, piece = tile.run, tile.work.piece
        if piece is None or not tile.work.loads_weights:
            self._load_next(tile)
            return
        held = self._stage.find(run, piece)
        if held is None:
            held = self._stage.put(run, piece)
            held.waiting = tile
            landed = partial(self._landed, held)
            self._transfer(run, tile.tile, "load", piece.route, piece.bytes, tile.load_op, landed)
        elif held.landed:
            self._load_next(tile)
        else:
            held.waiting = tile

    def _landed(self, held: Held, op: Op) -> None:
        """A piece lies in the stage now: the tile that waits for it goes on; one that found no room looks again."""
        held.landed = True
        tile = held.waiting
        if tile is not None:
            tile.load_op = tile.run.load_op = op
            self._load_next(tile)
        if self._waiting:
            self._request_pick()
        self._fetch_ahead()

    def _fetch_ahead(self) -> None:
        """The weights of the layer after the one that began last come into the stage, if all of them fit beside."""
        run = self._newest
        if run is None or self._ahead_under_way or run.job.ended or run.item.position + 1 == len(run.job.items):
            return
        job, now_ps = run.job, self._context.now_ps
        after = job.items[run.item.position + 1]
        if after.block != self._name or not after.tiles or after.next_tile or not after.tiles[0].loads_weights:
            return
        piece = after.tiles[0].piece
        if piece is None or piece.last_tile + 1 < len(after.tiles) or self._stage.find(after, piece) is not None:
            return
        if not self._stage.has_room_ahead(run, piece, self._under_way()):
            return
        before = latest(run.load_op, *(tile.compute_op for tile in self._computed if tile.run.job is job))
        assert before is not None
        waits = self._waits(run, before.end_ps, now_ps, self._moves["load"])
        held = self._stage.put(after, piece)
        self._ahead_under_way = True

        def arrived(op: Op) -> None:
            self._ahead_under_way = False
            self._landed(held, op)

        self._transfer(after, 0, "stage", piece.route, piece.bytes, before, arrived, waits)

    def _commit(self, tile: TileRun) -> None:
        now_ps = self._context.now_ps
        run = tile.run
        job = run.job
        if job.start_ps < 0:
            job.start_ps = now_ps
        # Own operations that this load waited for, and the others' that held the port or the buffer.
        gates = [(t, t.load_op) for t in list(self._committed)[-1:]]
        gates += [(t, t.compute_op) for t in list(self._computed)[-1:]]
        if self.buffers == 1 and self._stored is not None:
            gates.append((self._stored, self._stored.store_op))
        own = [op for t, op in gates if t.run.job is job]
        own += [
            move.op
            for move in self._moves["stage"]
            if move.run.job is job and move.op.start_ps < now_ps == move.op.end_ps
        ]
        ready = run.ready_op if not run.missing or not tile.work.loads_weights else job.input_op
        origin = latest(ready, job.input_op, run.load_op, *own)
        since_ps = origin.end_ps if origin is not None else job.release_ps
        waits = self.gate.waits(since_ps, now_ps, lambda start, end: self._waits(run, start, end, self._moves["load"]))
        self._committed.append(tile)
        self._loading = tile
        tile.load_op = Op("overhead", self._path, now_ps, now_ps, origin, waits)  # takes no time: the wait ends here
        run.load_op, job.last_op = tile.load_op, latest(job.last_op, tile.load_op)
        if run.committed:
            self._offer_prefetch(run)
        self._bring_piece(tile)
        if tile.work.piece is not None and tile.tile == 0:
            self._newest = run
            self._fetch_ahead()

    def _offer_prefetch(self, run: ItemRun) -> None:
        """Layers that read ``run`` here may have their weights loaded while its last tiles are still under way."""
        job = run.job
        for position in run.item.readers:
            reader = job.items[position]
            if reader.block != self._name or reader.queued or not reader.tiles or job.ended:
                continue
            if not reader.tiles[0].loads_weights:
                continue
            reads = [job.items[p] for p in reader.item.reads]
            if all(r.done is not None or (r.block == self._name and r.committed) for r in reads):
                self.enqueue(reader)

    def _load_next(self, tile: TileRun) -> None:
        if tile.next_load == len(tile.work.loads):
            self._load_ends(tile)
            return
        load = tile.work.loads[tile.next_load]
        if load.is_input and tile.run.missing:
            self._stalled = tile
            if tile.run.job.ended:
                self._abandon(tile)
            return
        before = latest(tile.load_op, tile.run.ready_op if load.is_input else None)
        tile.next_load += 1
        self._transfer(tile.run, tile.tile, "load", load.route, load.bytes, before, partial(self._loaded_one, tile))

    def _loaded_one(self, tile: TileRun, op: Op) -> None:
        tile.load_op = tile.run.load_op = op
        self._load_next(tile)

    def _load_ends(self, tile: TileRun) -> None:
        self._loading = None
        self._loaded.append(tile)
        self._try_compute()
        self._request_pick()

    def _transfer(
        self,
        run: ItemRun,
        tile: int,
        what: str,
        route: Route,
        n_bytes: int,
        before: Op | None,
        then: Callable[[Op], None],
        waits: tuple[Segment, ...] = (),
    ) -> None:
        context, job = self._context, run.job
        now_ps = context.now_ps
        bucket, where = context.transfer_bucket(route)
        op = job.begin_op(Op(bucket, where, now_ps, now_ps, before, waits))
        owner = Owner(job.task, job.index, job.label, route, op)
        self._moves[what].append(_Move(op, run))

        def arrived(transfer: Transfer) -> None:
            end_ps = context.now_ps
            job.end_op(op, end_ps)
            context.split_transfer(transfer, op)
            context.book_transfer(transfer, owner)
            self._record(what, run, tile, op.start_ps, end_ps, 0)
            then(op)

        context.fabric.post(self.initiators[what], route.channels, n_bytes, arrived, job.view.priority, owner)

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
        held = self._wait(tile.run, other.run if other is not None else None)
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
        self._fetch_ahead()

    # ------------------------------------------------------------ store

    def _store(self, tile: TileRun) -> None:
        assert tile.work.store is not None
        route, n_bytes = tile.work.store
        own = self._stored.store_op if self._stored is not None and self._stored.run.job is tile.run.job else None
        before = latest(tile.compute_op, own)
        now_ps = self._context.now_ps
        if before is not None and before.end_ps < now_ps:  # the port was another job's
            waits = self._waits(tile.run, before.end_ps, now_ps, self._moves["store"])
            before = Op("overhead", self._path, now_ps, now_ps, before, waits)
        self._transfer(tile.run, tile.tile, "store", route, n_bytes, before, partial(self._store_ends, tile))

    def _store_ends(self, tile: TileRun, op: Op) -> None:
        tile.store_op = op
        self._stored = self._to_store.popleft()
        if self._to_store:
            self._store(self._to_store[0])
        self._tile_done(tile, op)
        self._try_compute()
        self._release_if_idle()
        if self.buffers == 1:
            self._request_pick()

    def _tile_done(self, tile: TileRun, op: Op) -> None:
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
