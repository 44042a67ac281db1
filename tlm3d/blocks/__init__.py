"""Blocks: one kind a file, each with its Spec and its cost model as ``KIND``.

Contract of the slot. A kind is a frozen ``BlockSpec`` with one ``ROLE``:

- ``compute``: runs tiles behind a double-buffered local memory. ``supports(kind)`` and
  ``runs(layer)``; ``cost(layer, tile) -> Cost``; ``local_bytes``; ``clock_hz``.
- ``lane``: runs plain stages one at a time, no tiles, no memory.
- ``sensor``: ``emits(mode) -> rows`` of one frame; ``frame_shape``, ``stored_bytes`` and what may be asked of it.
- ``memory``: capacity and one port.

Any of them may have ``facts()``, figures that ``tlm3d show`` draws beside it; one that runs layers also
``layer_facts(layer)``, which ``tlm3d explain`` lists. They are shown and decide nothing.

Everything is pure: the same arguments give the same answer, nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Pace, Tile, tile_layer
from tlm3d.facts import Fact
from tlm3d.links import ChannelSpec
from tlm3d.sensing.adc import AdcSpec
from tlm3d.sensing.front_end import FrontEndSpec
from tlm3d.spec.points import (
    ALPHA,
    ComputePointSpec,
    OperatingCurve,
    OperatingPoint,
    PointSpec,
    check_law,
    check_order,
    check_voltage,
)
from tlm3d.spec.quantities import (
    AjPerBit,
    AjPerCycle,
    AjPerMac,
    Count,
    CountOrZero,
    FrequencyHz,
    Frozen,
    Positive,
    PowerNw,
    SizeBits,
    SizeOrZeroBits,
    VoltageV,
)
from tlm3d.spec.states import StatesSpec
from tlm3d.units import QuantityError, book_aj, show_v


class Cost(NamedTuple):
    """What one tile takes on a block."""

    cycles: int
    energy_aj: int


class DerivedValue(NamedTuple):
    """The value of a key that was not given, the law or figure it follows from, and what it holds for."""

    key: str
    value: str
    given: str
    to: str


class Row(NamedTuple):
    """A part of a frame that is sent as a whole: converted over [start, end) after the start of the readout."""

    start_ps: int
    end_ps: int
    bytes: int
    sensing_aj: int
    conversion_aj: int
    analog_aj: int = 0  # of arithmetic before the converters


class BlockSpec(Frozen):
    """What every block has. ``leakage`` is drawn all the time but when gated."""

    kind: str
    leakage_nw: PowerNw = Field(alias="leakage", default=0)
    states: StatesSpec = StatesSpec()

    ROLE: ClassVar[str]

    @property
    def derived(self) -> tuple[DerivedValue, ...]:
        """What the kind filled in from a law, for those who show it."""
        return ()

    def facts(self) -> tuple[Fact, ...]:
        """What is worth showing of this block beside its keys."""
        return ()

    @property
    def active_nw(self) -> int:
        """What is drawn in the active state, on top of leakage."""
        return self.states.active_nw


class CycleEnergySpec(Frozen):
    """Energy of a clock cycle spent busy."""

    aj_per_cycle: AjPerCycle = Field(alias="cycle", default=Fraction(0))

    def book(self, cycles: int, macs: int) -> int:
        """Energy of ``cycles`` busy cycles, aJ; ``macs`` cost nothing extra here."""
        return book_aj(cycles * self.aj_per_cycle)


class ComputeEnergySpec(CycleEnergySpec):
    """Energy of a busy clock cycle and, on top, of a multiply-accumulate."""

    aj_per_mac: AjPerMac = Field(alias="mac", default=Fraction(0))

    def book(self, cycles: int, macs: int) -> int:
        """Energy of ``cycles`` busy cycles with ``macs`` operations in them, aJ."""
        return book_aj(cycles * self.aj_per_cycle + macs * self.aj_per_mac)


_CLOCK_OF_POINTS = Fraction(0)  # in the place of a clock that is not given, until the points are known


class OperatedSpec(BlockSpec):
    """A block that may have operating points: clock, leakage and dynamic energies then follow from ``voltage``.

    Once read, ``clock_hz``, ``leakage_nw`` and ``energy`` are those at ``voltage``; ``curve`` has what was stated, and
    the operating point of any other voltage. A kind has the fields ``clock_hz`` and ``energy``.
    """

    points: tuple[PointSpec, ...] = ()
    voltage_v: VoltageV | None = Field(alias="voltage", default=None)
    alpha: Positive = ALPHA
    energy_at_v: VoltageV | None = Field(alias="energy_at", default=None)

    _curve: OperatingCurve[Any] | None = PrivateAttr(default=None)

    @property
    def curve(self) -> OperatingCurve[Any] | None:
        """The block by its voltage; None without ``points``."""
        return self._curve

    @property
    def operating_point(self) -> OperatingPoint[Any] | None:
        """The one it runs at; None without ``points``."""
        return None if self._curve is None or self.voltage_v is None else self._curve.at(self.voltage_v)

    def running_at(self, voltage_v: Fraction) -> Self:
        """This block at another voltage. Raises ValueError without ``points`` or outside them."""
        if self._curve is None:
            raise ValueError("a block without points has no voltage to change")
        return self.model_copy(update={"voltage_v": voltage_v} | _effective(self._curve.at(voltage_v)))

    @field_validator("points", mode="after")
    @classmethod
    def _in_order(cls, points: tuple[PointSpec, ...]) -> tuple[PointSpec, ...]:
        check_order(points)
        return points

    @field_validator("alpha")
    @classmethod
    def _of_a_transistor(cls, alpha: Fraction) -> Fraction:
        if not 1 <= alpha <= 2:
            raise QuantityError(
                f"expected a number from 1 (full velocity saturation) to 2 (none), got {float(alpha):g}"
            )
        return alpha

    @field_validator("voltage_v", mode="after")
    @classmethod
    def _within_points(cls, voltage_v: Fraction | None, info: ValidationInfo) -> Fraction | None:
        if voltage_v is not None and info.data.get("points"):
            try:
                check_voltage(info.data["points"], voltage_v)
            except ValueError as error:
                raise QuantityError(str(error)) from None  # shown at the value
        return voltage_v

    @model_validator(mode="before")
    @classmethod
    def _clock_of_points(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get("points", []) != [] and "clock" not in tree:
            return {**tree, "clock": _CLOCK_OF_POINTS}
        return tree

    @model_validator(mode="after")
    def _operated(self) -> Self:
        stated: dict[str, Any] = self.__dict__
        energy = stated["energy"]
        if not self.points:
            for key, value in (("voltage", self.voltage_v), ("energy_at", self.energy_at_v)):
                if value is not None:
                    raise ValueError(f"'{key}' needs the 'points' that say what a voltage does")
            return self
        check_law(self.points, self.alpha)
        if self.voltage_v is None:
            raise ValueError("missing key 'voltage': at which of its points it runs, or between them")
        if self.energy_at_v is None and energy != type(energy)():
            raise ValueError("missing key 'energy_at': the voltage at which 'energy' is stated")
        curve = OperatingCurve(self.points, self.alpha, energy, self.energy_at_v)
        self._check_energies(curve)
        at = _effective(curve.at(self.voltage_v))
        if stated["clock_hz"] in (None, _CLOCK_OF_POINTS):
            stated["clock_hz"] = at["clock_hz"]
        for name, key in (("clock_hz", "clock"), ("leakage_nw", "leakage")):
            if stated[name] and at.get(name, stated[name]) != stated[name]:
                raise ValueError(f"'{key}' is not that of the points at {show_v(float(self.voltage_v))}: leave it out")
        stated.update(at)  # frozen from here on
        self._curve = curve
        return self

    def _check_energies(self, curve: OperatingCurve[Any]) -> None:
        known = type(curve.energy).model_fields
        for point in self.points:
            for name, value in point.energy.stated().items():
                key = type(point.energy).model_fields[name].alias
                if name not in known:
                    raise ValueError(f"a {self.kind} has no energy '{key}', which a point states")
                if point.voltage_v == self.energy_at_v and getattr(curve.energy, name) not in (0, value):
                    raise ValueError(f"energy '{key}' is stated twice at {show_v(float(point.voltage_v))}, and differs")


def _effective(point: OperatingPoint[Any]) -> dict[str, Any]:
    """The fields of a block that follow from its operating point."""
    leakage = {} if point.leakage_nw is None else {"leakage_nw": point.leakage_nw}
    return {"clock_hz": point.clock_hz, "energy": point.energy, **leakage}


class ProgrammableSpec(Frozen):
    """What runs instructions, of ``cpi`` cycles on average."""

    cpi: Positive = Fraction(1)


class DmaSpec(ChannelSpec):
    """The block's port: a channel into its local memory and one out of it. ``energy`` fills or drains local memory."""

    aj_per_bit: AjPerBit = Field(alias="energy", default=Fraction(0))


class ComputeSpec(OperatedSpec):
    """What every tile-running block has. ``home`` keeps its feature maps, ``weight_store`` the weights it fetches.

    Weights that pass through a ``weight_stage`` are fetched into it a layer at a time, or piece by piece where they do
    not fit beside what else lies there, and the block loads them from it. With two ``buffers`` a tile moves while
    another one computes; with one it has all of the local memory, and nothing overlaps. ``layer_setup`` cycles pass
    before the first tile of a layer computes; they cost no energy, but the block counts as active.
    """

    points: tuple[ComputePointSpec, ...] = ()
    clock_hz: FrequencyHz = Field(alias="clock")
    energy: ComputeEnergySpec = Field(default_factory=ComputeEnergySpec)
    home: str | None = None  # default: the only memory of the die
    weight_store: str | None = None
    weight_stage: str | None = None
    weight_memory_bits: SizeOrZeroBits = Field(alias="weight_memory", default=0)
    dma: DmaSpec | None = None
    buffers: Count = 2
    layer_setup: CountOrZero = 0

    ROLE = "compute"

    @field_validator("buffers")
    @classmethod
    def _one_or_two(cls, buffers: int) -> int:
        if buffers > 2:
            raise QuantityError(f"expected 1 or 2 buffers, got {buffers}")
        return buffers

    @property
    def local_bytes(self) -> int:
        """Local memory that tiles are cut to, all buffers together, bytes."""
        raise TypeError(f"{type(self).__name__} does not say how large its local memory is")

    @property
    def pace(self) -> Pace | None:
        """What tiles are cut for, beside the bytes they move; None: nothing."""
        return None

    @property
    def cycles_per_byte(self) -> Fraction:
        """Of the DMA, moving a byte; 0 without one."""
        return 8 * self.clock_hz / self.dma.total_bps if self.dma is not None else Fraction(0)

    def tiles(self, layer: Layer, weights_resident: bool) -> tuple[Tile, ...]:
        """``layer`` cut for this block. Raises TileError where even the smallest tile does not fit."""
        return tile_layer(layer, self.local_bytes, weights_resident, self.pace, self.buffers)

    def tile_cycles(self, layer: Layer, tile: Tile) -> int:
        """Cycles of one tile of ``layer``."""
        return self.cost(layer, tile).cycles

    def supports(self, kind: str) -> bool:
        """Whether layers of ``kind`` (conv, pointwise, depthwise, linear, pool, add, softmax) run here."""
        raise TypeError(f"{type(self).__name__} does not say which layers it runs")

    def runs(self, layer: Layer) -> bool:
        """Whether ``layer`` runs here: of a kind that does, with its kernel, stride and bits."""
        return self.supports(layer.kind)

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        """Cycles and energy of one tile of ``layer``."""
        raise TypeError(f"{type(self).__name__} does not say what a tile costs")

    def layer_facts(self, layer: Layer) -> tuple[Fact, ...]:
        """What is worth showing of ``layer`` as it runs here, beside its cost."""
        return ()


class SensorSpec(BlockSpec):
    """What every sensor has: a frame clock, amplifiers, converters, and a FIFO on the way to the memory ``home``.

    It is active from ``lead_ps`` before a frame to the end of its readout, and the ``front_end`` is on then. Rows wait
    for the link in a FIFO of ``fifo``; when it is full the frame is lost.
    """

    frame_rate_hz: FrequencyHz = Field(alias="frame_rate")
    bits: Count
    adc: AdcSpec
    front_end: FrontEndSpec | None = None
    fifo_bits: SizeBits = Field(alias="fifo", default=8 * 4096)
    home: str | None = None  # default: the only memory of the die

    ROLE = "sensor"
    MODES_AT_ONCE: ClassVar[bool] = False  # modes of one frame are read side by side, not one after the other

    @property
    def active_nw(self) -> int:
        """What is drawn while it exposes and reads: the state's power and the front end's."""
        return self.states.active_nw + (self.front_end.power_nw if self.front_end else 0)

    @property
    def mode_names(self) -> tuple[str, ...]:
        """The ways of reading it."""
        raise TypeError(f"{type(self).__name__} does not say how it is read")

    @property
    def lead_ps(self) -> int:
        """How long before a frame it is active."""
        return 0

    def emits(self, mode: str) -> tuple[Row, ...]:
        """What is read anew for one frame of ``mode``, in order, times relative to the start of its readout."""
        raise TypeError(f"{type(self).__name__} does not say what it reads")

    def frame_shape(self, mode: str) -> tuple[int, int, int]:
        """(rows, columns, channels) of samples in one frame of ``mode``."""
        raise TypeError(f"{type(self).__name__} does not say what a frame is")

    def frame_bytes(self, mode: str) -> int:
        """What a network reads of one frame of ``mode``."""
        return sum(row.bytes for row in self.emits(mode))

    def stored_bytes(self, mode: str, frames: int) -> int:
        """Room in memory for ``frames`` frames of ``mode`` that follow each other."""
        return frames * self.frame_bytes(mode)

    def weight_bytes(self, mode: str) -> int:
        """Weights in the sensor that ``mode`` needs."""
        return 0

    def frame_times_ps(self, modes: Collection[str]) -> dict[str, int]:
        """What must fit the frame period where all of ``modes`` are read on one tick, by its name."""
        raise TypeError(f"{type(self).__name__} does not say how long a frame takes")

    def clock_fault(self, rate_hz: Fraction) -> str | None:
        """Why the frame clock cannot be ``rate_hz``; None where it can."""
        return None

    def gap_fault(self, mode: str, every: int) -> str | None:
        """Why not every ``every``-th frame of ``mode`` can be taken alone; None where it can."""
        return None
