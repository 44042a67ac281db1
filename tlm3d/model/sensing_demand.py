"""What sensors ask of channels, and when their frames land, from what has been elaborated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from tlm3d.blocks import SensorSpec
from tlm3d.bounds.channels import Move, Wire, held_up
from tlm3d.bounds.claim import NoBound
from tlm3d.bounds.sensing import Camera, Landed, Row, Taker, landings
from tlm3d.model.moves import move_of
from tlm3d.spec.activation import InputSpec
from tlm3d.spec.binding import BlockName
from tlm3d.tlm.channel import Channel
from tlm3d.units import PS_PER_S, release_ps


@dataclass(frozen=True)
class FrameMoves:
    """The frames of one mode, one in ``period`` ps at most: the moves of its rows, and how many of each."""

    mode: str
    period: Fraction
    moves: tuple[tuple[Move, int], ...]


@dataclass(frozen=True)
class SensorDemand:
    """A sensor of which tasks take frames. All of a frame is under way between its tick and its landing only."""

    camera: Camera
    moves: Mapping[int, Move]  # of a row, by its bytes
    frames: tuple[FrameMoves, ...]

    def landings(self, rivals: Mapping[str, Sequence[Move]], wires: Mapping[str, Wire]) -> dict[str, Landed] | NoBound:
        """When frames have landed, by task, where ``rivals`` (see ``bounds.channels``) may be on their way."""
        alone_ps = {n_bytes: move.alone_ps for n_bytes, move in self.moves.items()}
        worst_ps = {}
        for n_bytes, move in self.moves.items():
            held = held_up(move, rivals, wires)
            if isinstance(held, NoBound):
                return held
            if held.by_rate:  # a sensor's number is 0: nobody's is smaller
                return NoBound(f"more urgent traffic than that of {self.camera.name} on {min(held.by_rate)}")
            worst_ps[n_bytes] = move.alone_ps + held.ps
        return landings(self.camera, alone_ps, worst_ps)


def sensor_demand(
    name: BlockName, spec: SensorSpec, route: tuple[Channel, ...], takers: Mapping[str, InputSpec]
) -> SensorDemand:
    """Of the sensor ``name`` whose rows take ``route``; ``takers``: what tasks take of it, by task."""
    path = ".".join(name)
    modes = {
        mode: tuple(Row(row.end_ps, row.bytes) for row in spec.emits(mode))
        for mode in sorted({taken.mode for taken in takers.values()})
    }
    camera = Camera(
        path,
        release_ps(1, spec.frame_rate_hz),
        modes,
        spec.MODES_AT_ONCE,
        spec.fifo_bits,
        tuple(Taker(task, taken.mode, taken.every, taken.event >= 1) for task, taken in takers.items()),
    )
    task = next(iter(takers)) if len(takers) == 1 else "-"
    sizes = sorted({row.bytes for rows in modes.values() for row in rows})
    moves = {n_bytes: move_of(path, task, 0, route, n_bytes) for n_bytes in sizes}
    frames = []
    for mode, rows in modes.items():
        every = gcd(*(taken.every for taken in takers.values() if taken.mode == mode))
        counts = {n_bytes: sum(row.bytes == n_bytes for row in rows) for n_bytes in sizes}
        period = every * Fraction(PS_PER_S) / spec.frame_rate_hz
        frames.append(FrameMoves(mode, period, tuple((moves[n], count) for n, count in counts.items() if count)))
    return SensorDemand(camera, moves, tuple(frames))
