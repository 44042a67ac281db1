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
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from tlm3d.blocks import ComputeSpec
from tlm3d.model.buffers import Buffers
from tlm3d.model.context import Context, Owner
from tlm3d.model.gate import Gate, States, powers_of
from tlm3d.model.job import ItemRun, Job, StageRun, Urgency
from tlm3d.model.locks import Locks
from tlm3d.model.op import Op, latest
from tlm3d.model.stage import Held, Stage
from tlm3d.model.topology import Route
from tlm3d.model.unit import TileRun, Unit
from tlm3d.model.waits import Waits
from tlm3d.model.work import TileWork
from tlm3d.record.recording import Component, Segment, Span, StateInterval
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.alarm import Alarm
from tlm3d.tlm.timing import PICK
from tlm3d.tlm.transfer import Transfer


class _Waiting(NamedTuple):
    urgency: Urgency
    position: int
    run: ItemRun
    after: Op | None  # of the job's own operations, the one that let its weights be fetched ahead of its inputs


class Backlog(NamedTuple):
    """The tiles under way: of ``to_store`` the first one is being stored, ``loaded`` begins with what was suspended."""

    to_store: tuple[TileRun, ...]
    computing: TileRun | None
    ends_ps: int  # of what computes
    loaded: tuple[TileRun, ...]
    loading: TileRun | None


class Pipeline:
    """The engine of one compute block; ``finished(run, op)`` is called when the last tile of an item is done."""

    def __init__(
        self,
        context: Context,
        name: BlockName,
        spec: ComputeSpec,
        locks: Locks,
        finished: Callable[[ItemRun, Op], None],
    ) -> None:
        self._locks = locks
        self._parked: dict[ItemRun, tuple[str, str]] = {}  # stages that wait for a resource: it, and behind whom
        self._context, self._name, self.buffers = context, name, spec.buffers
        self._preemption = spec.preemption
        self._finished = finished
        self._path = ".".join(name)
        self._component = Component(*name)
        self.initiators = {what: f"{self._path}.{what}" for what in ("stage", "load", "store")}
        self._local = Buffers(spec.buffers)
        self._stage = Stage()
        self._ahead_under_way = False
        self._newest: ItemRun | None = None  # the layer that began last, of those whose weights may be staged
        self._waiting: list[_Waiting] = []
        self._at_once: list[_Waiting] = []  # plain stages where they may suspend what computes
        self._loading: TileRun | None = None
        self._stalled: TileRun | None = None  # its weights are in, its inputs do not exist yet
        self._loaded: deque[TileRun] = deque()
        self._to_store: deque[TileRun] = deque()  # computed; the first one is being stored
        self._committed: deque[TileRun] = deque(maxlen=2)  # the last two, done or not
        self._computed: deque[TileRun] = deque(maxlen=2)
        self._stored: TileRun | None = None  # the last one
        self._waits = Waits(self._path)
        self._ports = {"stage": self._waits.stage, "load": self._waits.load, "store": self._waits.store}
        self._picking = False
        self._pick_alarm = Alarm(context.env, self._pick)
        self._unit = Unit(context, self._component, spec, self._waits, self._computed_one)
        self.busy = self._unit.busy
        self.gate = Gate(context.recording, self._component, spec.states.gated)
        self._states = States(context.recording, self._component, powers_of(spec))

    # ------------------------------------------------------------ what waits

    def enqueue(self, run: ItemRun) -> None:
        """``run`` may have its next tile committed from now on."""
        self._enqueue(run, None)

    def _enqueue(self, run: ItemRun, after: Op | None) -> None:
        run.queued = True
        self._queue(run, after)

    def _queue(self, run: ItemRun, after: Op | None) -> None:
        self.gate.engage(self._context.now_ps)
        queue = self._at_once if self.starts_at_once(run) else self._waiting
        insort(queue, _Waiting(run.job.urgency, run.item.position, run, after), key=lambda w: w[:2])
        self._request_pick()

    def reorder(self, job: Job) -> None:
        """The urgency of ``job`` has changed."""
        if any(waiting.run.job is job for waiting in (*self._waiting, *self._at_once)):
            self._sort()
            self._request_pick()

    def _sort(self) -> None:
        for queue in (self._waiting, self._at_once):
            fresh = [waiting._replace(urgency=waiting.run.job.urgency) for waiting in queue]
            queue[:] = sorted(fresh, key=lambda waiting: waiting[:2])

    def worked(self, now_ps: int) -> list[tuple[StageRun, int]]:
        """None: what is left of tiles is known when they end."""
        return []

    def _park(self, queue: list[_Waiting], entry: _Waiting) -> None:
        """It waits for a resource, no more for the block."""
        queue.remove(entry)
        run, now_ps = entry.run, self._context.now_ps
        job, origin = run.job, self._origin(run, entry.after)
        since_ps = origin.end_ps if origin is not None else job.release_ps
        held = self._waits.to_start if queue is self._at_once else self._waits.to_load
        self._go_on(run, origin, self.gate.waits(since_ps, now_ps, partial(held, job)))
        self._parked[run] = self._locks.waited_for(run)
        self._release_if_idle()

    def _go_on(self, run: ItemRun, before: Op | None, waits: tuple[Segment, ...]) -> None:
        """The chain of ``run`` goes on up to now with ``waits``."""
        now_ps, job = self._context.now_ps, run.job
        run.ready_op = Op("overhead", self._path, now_ps, now_ps, before, waits)
        job.last_op = latest(job.last_op, run.ready_op)

    def _book_parked(self, run: ItemRun) -> None:
        since, now_ps = run.ready_op, self._context.now_ps
        assert since is not None
        if since.end_ps < now_ps:
            self._go_on(run, since, (Segment("resource", since.end_ps, now_ps, *self._parked[run]),))

    def unpark(self, run: ItemRun) -> None:
        """``run`` may try again to take its resources."""
        self._book_parked(run)
        del self._parked[run]
        self._queue(run, None)

    def rebook(self, run: ItemRun) -> None:
        """``run`` waits for its resource behind another job from now on."""
        self._book_parked(run)
        self._parked[run] = self._locks.waited_for(run)

    def withdraw(self, run: ItemRun) -> None:
        """``run`` commits no more tiles: its job was aborted."""
        if run in self._parked:
            self._book_parked(run)
            del self._parked[run]
        self._waiting = [w for w in self._waiting if w.run is not run]
        self._at_once = [w for w in self._at_once if w.run is not run]
        self._local.withdraw(run)
        self._unit.withdraw(run, any(tile.run is run for tile in self._under_way()))
        if self._stalled is not None and self._stalled.run is run:
            self._abandon(self._stalled)
        self._release_if_idle()
        if self._at_once:
            self._request_pick()

    def backlog(self) -> Backlog:
        """The tiles under way now."""
        unit = self._unit
        loaded = (*reversed(unit.suspended), *self._loaded)
        return Backlog(tuple(self._to_store), unit.computing, unit.ends_ps, loaded, self._loading)

    def starts_at_once(self, run: ItemRun) -> bool:
        """Whether ``run`` takes the compute unit from whoever is less urgent."""
        return self._preemption == "full" and run.item.stage is not None

    def ahead_of(self, run: ItemRun) -> list[ItemRun]:
        """The items that wait here and would go before ``run``, in order."""
        own = (run.job.urgency, run.item.position)
        begun = [w.run for w in self._waiting if w.run.next_tile][:1] if self._preemption == "none" else []
        queue = self._at_once if self.starts_at_once(run) else [*self._at_once, *self._waiting]
        return begun + [w.run for w in queue if w[:2] < own and w.run not in begun]

    def _release_if_idle(self) -> None:
        waiting = self._waiting or self._at_once
        if not (waiting or self._loading or self._loaded or self._unit.computing or self._to_store):
            self.gate.release(self._context.now_ps)

    def delay_ps(self, now_ps: int) -> int:
        """How long until it is awake, if work were posted now."""
        return self.gate.delay_ps(now_ps)

    def inputs_complete(self, run: ItemRun) -> None:
        """The layers that ``run`` reads have stored: a tile that waits for them goes on loading."""
        stalled = self._stalled
        if stalled is not None and stalled.run is run:
            self._stalled = None
            self._load_next(stalled)

    def waited(self, run: ItemRun, since_ps: int, until_ps: int) -> tuple[Segment, ...]:
        """What ``run``, which has not finished, waited for over [since, until)."""
        if run in self._parked:
            return (Segment("resource", since_ps, until_ps, *self._parked[run]),) if since_ps < until_ps else ()
        if any(tile.run is run for tile in self._to_store):
            return self._waits.to_store(run.job, since_ps, until_ps)
        if any(tile.run is run for tile in self._loaded):
            return self._waits.to_compute(run.job, since_ps, until_ps)
        is_at_once = any(waiting.run is run for waiting in self._at_once)
        held = self._waits.to_start if is_at_once else self._waits.to_load
        return self.gate.waits(since_ps, until_ps, partial(held, run.job))

    def _forget(self) -> None:
        """Let go of what nobody who waits began to wait for before."""
        if not self._waits.many:
            return
        since_ps = [self._context.now_ps]
        for waiting in (*self._waiting, *self._at_once):
            run = waiting.run
            op = self._origin(run, waiting.after)
            since_ps.append(op.end_ps if op is not None else run.job.release_ps)
        since_ps += [tile.load_op.end_ps for tile in self._loaded if tile.load_op is not None]
        since_ps += [tile.compute_op.end_ps for tile in self._to_store if tile.compute_op is not None]
        since_ps += [tile.resumed_ps for tile in self._unit.suspended]
        if self._newest is not None and self._newest.load_op is not None:
            since_ps.append(self._newest.load_op.end_ps)
        self._waits.forget(min(since_ps))

    def _origin(self, run: ItemRun, after: Op | None) -> Op | None:
        """Of its job's own operations, the one that let ``run`` have a tile committed, if a buffer is free."""
        fetches = run.missing and run.tiles[run.next_tile].loads_weights
        return latest(run.job.input_op if fetches else run.ready_op, run.job.input_op, run.load_op, after)

    def _abandon(self, tile: TileRun) -> None:
        """The inputs of ``tile`` will never exist: the port and its buffer are free for others."""
        self._loading = self._stalled = None
        self._waits.load.free(self._context.now_ps)
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
        if self._locks.moves:
            self._rekey()
        self._start_at_once()
        while self._waiting and self._loading is None:
            entry = self._next()
            run, work = entry.run, self._local.next_work(entry.run)
            if not self._has_room(run, work):
                break
            if run.item.holds and not self._locks.take(run, self):
                self._park(self._waiting, entry)
                continue
            origin = self._origin(run, entry.after)
            tile_run = TileRun(run, run.next_tile, work)
            run.next_tile += 1
            self._local.take(run, work)
            if run.next_tile == len(run.tiles):
                self._waiting.remove(entry)
            self._commit(tile_run, origin)

    def _rekey(self) -> None:
        """Ask the policy again how urgent everything is now."""
        jobs = {waiting.run.job for waiting in (*self._waiting, *self._at_once)}
        jobs |= {tile.run.job for tile in (self._unit.computing, *self._unit.suspended) if tile is not None}
        self._locks.rekey(jobs, self._context.now_ps)
        self._sort()

    def _next(self) -> _Waiting:
        """Whose tile is committed next: the most urgent; without preemption the layer that has begun, if one has."""
        if self._preemption == "none":
            return next((waiting for waiting in self._waiting if waiting.run.next_tile), self._waiting[0])
        return self._waiting[0]

    def _start_at_once(self) -> None:
        """The most urgent plain stage takes the unit from a less urgent job, or where none is more urgent."""
        while self._at_once and self._start_first():
            pass

    def _start_first(self) -> bool:
        """Whether the first of them has made way for the next, as it has to wait for a resource."""
        run, computing, now_ps = self._at_once[0].run, self._unit.computing, self._context.now_ps
        job = run.job
        if computing is not None:
            if computing.run.job.urgency <= job.urgency:
                return False
        elif any(other.job.urgency < job.urgency for other in self._wanting()):
            return False
        if run.item.holds and not self._locks.take(run, self):
            self._park(self._at_once, self._at_once[0])
            return True
        if computing is not None:
            self._unit.suspend()
        self._at_once.pop(0)
        run.next_tile = 1
        if job.start_ps < 0:
            job.start_ps = now_ps
        origin = latest(run.ready_op, job.input_op)
        since_ps = origin.end_ps if origin is not None else job.release_ps
        waits = self.gate.waits(since_ps, now_ps, partial(self._waits.to_start, job))
        self._forget()
        self._unit.start(TileRun(run, 0, run.tiles[0], at_once=True), origin, waits)
        return False

    def _wanting(self) -> Iterator[ItemRun]:
        """Layers that wait or have tiles under way."""
        yield from (waiting.run for waiting in self._waiting)
        yield from (tile.run for tile in self._under_way())

    def _has_room(self, run: ItemRun, work: TileWork) -> bool:
        """Whether a buffer is free for ``work``, the next tile of ``run``, and room for its piece of staged weights."""
        under_way = self._under_way()
        if len(under_way) >= self.buffers or (self.buffers == 1 and self._to_store):
            return False
        return self._stage.admits(run, work, under_way)

    def _under_way(self) -> list[TileRun]:
        """The tiles that are committed and not computed."""
        tiles = (self._unit.computing, *self._unit.suspended, *self._loaded, self._loading)
        return [tile for tile in tiles if tile is not None and not tile.at_once]

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
        if run is None or self._ahead_under_way:
            return
        after = self._next_layer(run)
        if after is None:
            self._newest = None
            return
        piece = after.tiles[0].piece
        assert piece is not None
        if not self._stage.has_room_ahead(run, piece, self._under_way()):
            return
        job, now_ps = run.job, self._context.now_ps
        before = latest(run.load_op, *(tile.compute_op for tile in self._computed if tile.run.job is job))
        assert before is not None
        waits = self._waits.to_fetch_ahead(job, before.end_ps, now_ps)
        held = self._stage.put(after, piece)
        self._ahead_under_way = True

        def arrived(op: Op) -> None:
            self._ahead_under_way = False
            self._landed(held, op)

        self._transfer(after, 0, "stage", piece.route, piece.bytes, before, arrived, waits)

    def _next_layer(self, run: ItemRun) -> ItemRun | None:
        """The layer after ``run``, if its weights may still be fetched ahead."""
        job = run.job
        if job.ended or run.item.position + 1 == len(job.items):
            return None
        after = job.items[run.item.position + 1]
        if after.block != self._name or not after.tiles or after.next_tile or not after.tiles[0].loads_weights:
            return None
        piece = after.tiles[0].piece
        if piece is None or piece.last_tile + 1 < len(after.tiles) or self._stage.find(after, piece) is not None:
            return None
        return after

    def _commit(self, tile: TileRun, origin: Op | None) -> None:
        now_ps = self._context.now_ps
        run = tile.run
        job = run.job
        if job.start_ps < 0:
            job.start_ps = now_ps
        # Own operations that held the port or the buffer.
        gates = [(t, t.load_op) for t in list(self._committed)[-1:]]
        gates += [(t, t.compute_op) for t in list(self._computed)[-1:]]
        if self.buffers == 1 and self._stored is not None:
            gates.append((self._stored, self._stored.store_op))
        origin = latest(origin, *(op for t, op in gates if t.run.job is job))
        since_ps = origin.end_ps if origin is not None else job.release_ps
        waits = self.gate.waits(since_ps, now_ps, partial(self._waits.to_load, job))
        self._forget()
        self._committed.append(tile)
        self._loading = tile
        self._waits.load.take(now_ps, job)
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
                self._enqueue(reader, run.load_op)

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
        self._waits.load.free(self._context.now_ps)
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
        port = self._ports[what]
        port.take(now_ps, job, bucket, where)

        def arrived(transfer: Transfer) -> None:
            end_ps = context.now_ps
            job.end_op(op, end_ps)
            if what == "load":
                port.take(end_ps, job)  # until the tile has all it needs
            else:
                port.free(end_ps)
            context.split_transfer(transfer, op)
            context.book_transfer(transfer, owner)
            self._record(what, run, tile, op.start_ps, end_ps, 0)
            then(op)

        context.fabric.post(self.initiators[what], route.channels, n_bytes, arrived, job.priority, owner)

    # ------------------------------------------------------------ compute

    def _try_compute(self) -> None:
        if self._unit.computing is not None:
            return
        if self._unit.suspended:
            self._unit.resume()
            return
        if not self._loaded or len(self._to_store) >= 2:
            return
        tile = self._loaded.popleft()
        job = tile.run.job
        gates = [(t, t.compute_op) for t in self._computed] + (
            [(self._stored, self._stored.store_op)] if self._stored else []
        )
        own = latest(tile.load_op, *(op for t, op in gates if t.run.job is job))
        since_ps = own.end_ps if own is not None else job.release_ps
        self._unit.start(tile, own, self._waits.to_compute(job, since_ps, self._context.now_ps))

    def _computed_one(self, tile: TileRun) -> None:
        assert tile.compute_op is not None
        if not tile.at_once:
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
            waits = self._waits.to_store(tile.run.job, before.end_ps, now_ps)
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
        if self.buffers == 1 or self._at_once:
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
        return self._unit.settled_ps

    def settle(self, until_ps: int) -> list[StateInterval]:
        """Record the states that have ended before ``until_ps``; those that go on there."""
        going_on = self._states.settle(self.busy.intervals, self.gate.gated(), until_ps)
        self.busy.forget(until_ps)
        self.gate.forget(until_ps)
        return going_on

    def close(self) -> None:
        """At the horizon: what still computes, and the states of the block over the window."""
        self._unit.close()
        self._states.close(self.busy.intervals, self.gate.gated())
