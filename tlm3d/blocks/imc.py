"""Analog in-memory compute: an array of cells that hold weights and add up products on their columns."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pydantic import Field, model_validator

from tlm3d.blocks import ComputeEnergySpec, ComputeSpec, Cost, VectorUnitSpec
from tlm3d.cnn.layers import Layer
from tlm3d.cnn.tiling import Tile
from tlm3d.facts import Fact
from tlm3d.spec.quantities import (
    AjPerConversion,
    Count,
    CountOrZero,
    DurationPs,
    ExactAj,
    Flag,
    Frozen,
    Positive,
    SizeBits,
)
from tlm3d.technology.accumulation import bits_needed, effective_bits
from tlm3d.technology.adc import envelope_aj
from tlm3d.units import PS_PER_S, book_aj, ceil_div

MAX_BITS = 32  # of an operand or a converter; beyond anything made


class ImcEnergySpec(ComputeEnergySpec):
    """Energy of what an array does, on top of busy cycles and of multiply-accumulates."""

    aj_per_pass: ExactAj = Field(alias="pass", default=Fraction(0))
    aj_per_row: ExactAj = Field(alias="row", default=Fraction(0))
    aj_per_column: ExactAj = Field(alias="column", default=Fraction(0))
    aj_per_conversion: AjPerConversion = Field(alias="conversion", default=Fraction(0))
    aj_per_output: ExactAj = Field(alias="output", default=Fraction(0))


class PrecisionSpec(Frozen):
    """Bits of ``input`` and ``weight`` that the array works with; ``dac`` of them a pass, ``cell`` of them a cell.

    A weight takes ⌈weight / cell⌉ columns, twice as many with ``pairs``: a positive and a negative one.
    """

    input: Count
    weight: Positive  # three levels are 1.5 or log2(3) bits, as one likes to say it
    dac: Count | None = None
    cell: Positive | None = None
    pairs: Flag = False

    @model_validator(mode="after")
    def _bounded(self) -> PrecisionSpec:
        if self.input > MAX_BITS or self.weight > MAX_BITS:
            most = max(Fraction(self.input), self.weight)
            raise ValueError(f"expected operands of at most {MAX_BITS} bits, got {float(most):g}")
        return self

    @property
    def slices(self) -> int:
        """Columns that are converted for a weight; a pair is subtracted before its converter."""
        exact = self.weight / (self.cell or self.weight)
        return ceil_div(exact.numerator, exact.denominator)

    @property
    def columns(self) -> int:
        """Columns that a weight takes."""
        return self.slices * (2 if self.pairs else 1)

    @property
    def repeats(self) -> int:
        """Passes that bring in all bits of an input."""
        return ceil_div(self.input, self.dac or self.input)


class ConverterSpec(Frozen):
    """The analog-to-digital converters: ``converters`` of them, which columns take in turn, ``time`` each.

    ``multiple`` of the envelope of published converters is the energy of a conversion, on top of what is stated.
    ``sigmas``: the range, in standard deviations of the sum; not given: every possible sum.
    """

    bits: Count
    enob: Positive | None = None
    converters: Count | None = None
    time_ps: DurationPs | None = Field(alias="time", default=None)
    multiple: Positive | None = None
    sigmas: Positive | None = None

    @model_validator(mode="after")
    def _possible(self) -> ConverterSpec:
        if self.bits > MAX_BITS:
            raise ValueError(f"expected a converter of at most {MAX_BITS} bits, got {self.bits}")
        if self.enob is not None and self.enob > self.bits:
            raise ValueError(f"'enob' {float(self.enob):g} is more than the {self.bits} bits of the converter")
        if self.converters is not None and self.time_ps is None:
            raise ValueError("missing key 'time': how long a conversion takes, as columns take turns")
        return self

    @property
    def effective(self) -> Fraction:
        """Effective bits of a conversion."""
        return Fraction(self.bits) if self.enob is None else self.enob


class UnrollSpec(Frozen):
    """Weights stand in the array several times, shifted, for up to ``pixels`` neighbours of an image row a pass."""

    pixels: Count
    channels: Count = 1
    strided: Flag = True


@dataclass(frozen=True, slots=True)
class _Mapping:
    """How a layer lies on the array."""

    weights: int  # rows behind an output, all row groups together
    driven: int  # rows that the inputs of a pass drive, all row groups together; on the diagonal, those of a channel
    row_groups: int  # parts of the rows that fit, one after the other
    outputs: int  # output channels of a pass
    pixels: int  # output pixels of a pass
    diagonal: bool  # every output channel has rows of its own

    def groups(self, channels: int) -> int:
        """Groups of output channels, one after the other."""
        return ceil_div(channels, self.outputs)

    def rows_driven(self, channels: int) -> int:
        """Rows driven once for each group of output channels."""
        return self.driven * (channels if self.diagonal else self.groups(channels))

    def rows_written(self, ins: int, taps: int, channels: int) -> int:
        """Rows written until all weights of ``channels`` outputs have been in the array."""
        return ins * taps * (1 if self.diagonal else self.groups(channels))


class Imc(VectorUnitSpec, ComputeSpec):
    """``array: [rows, columns]`` of cells. A pass drives rows with inputs and converts the sums on columns to digits.

    Rows hold the Cin·kh·kw weights behind an output, at most ``channels`` input channels of them a pass; columns hold
    outputs. passes = row groups · ⌈Cout / outputs a pass⌉ · H · ⌈W / u⌉ · ⌈input / dac bits⌉, with row groups =
    max(⌈Cin / channels⌉, ⌈Cin·kh·kw / rows⌉). A layer smaller than the array stands there u times, for u neighbouring
    pixels: the largest u of 1, 2, 4 … ``unroll.pixels`` for which u · Cout outputs fit the columns and the
    max(Cin, ``unroll.channels``) · kh · (kw + (u − 1) · min(stride, kw)) inputs behind them the rows. With 1152 × 512,
    128 channels and stride taken for 1 this is the rule published for DIANA (Risso et al.: ODiMO, arXiv 2306.05060).

    A pass takes ``pass_time``, the array's own; where columns share converters, ``adc.time`` for every turn comes on
    top. Passes follow one another without waiting for the clock: their sum is rounded up to whole cycles, once a tile.

    Before a tile with other weights than those in the array, Cin·kh·kw rows are written for every group of outputs,
    ``row_write`` cycles each, and nothing else runs. Weights that do not fit are written group by group, for every tile
    anew. Copies of unrolled weights are written along with the first.

    A depthwise layer uses the diagonal: one column for every kh·kw rows, the other cells are zero. It runs only where
    ``depthwise`` says so, and is not unrolled. Layers run at the bits of the array, whatever theirs are. An optional
    vector unit (``elements_per_cycle``) does pooling and addition.
    """

    array: tuple[Count, Count]
    local_bits: SizeBits = Field(alias="local")
    pass_time_ps: DurationPs = Field(alias="pass_time")
    precision: PrecisionSpec = Field(alias="bits")
    adc: ConverterSpec
    channels: Count | None = None
    unroll: UnrollSpec | None = None
    row_write: CountOrZero = 0
    tile_setup: CountOrZero = 0
    depthwise: Flag = False
    energy: ImcEnergySpec = Field(default_factory=ImcEnergySpec)

    @model_validator(mode="after")
    def _fits(self) -> Imc:
        if self.precision.columns > self.array[1]:
            raise ValueError(f"a weight takes {self.precision.columns} columns, the array has {self.array[1]}")
        return self

    @property
    def local_bytes(self) -> int:
        return self.local_bits // 8

    def supports(self, kind: str) -> bool:
        if kind in ("conv", "pointwise", "linear"):
            return True
        return self.depthwise if kind == "depthwise" else self.on_vector_unit(kind)

    def cost(self, layer: Layer, tile: Tile) -> Cost:
        if layer.kind in ("pool", "add"):
            cycles = self.tile_setup + self.vector_cycles(tile)
            return Cost(cycles, self.energy.book(cycles, tile.macs))
        lies = self._mapping(layer)
        channels = tile.out_channels
        a_group = self._passes_a_group(lies, tile.out_rows, tile.out_width)
        passes = a_group * lies.groups(channels)
        analog_ps = passes * self.pass_time_ps + a_group * self._turns(lies, channels) * (self.adc.time_ps or 0)
        analog = analog_ps * self.clock_hz / PS_PER_S
        cycles = self.tile_setup + ceil_div(analog.numerator, analog.denominator)
        if tile.new_weights or lies.row_groups * lies.groups(channels) > 1:
            taps = layer.kernel[0] * layer.kernel[1]
            cycles += self.row_write * lies.rows_written(tile.in_channels, taps, channels)
        energy, summed = self.energy, a_group * lies.pixels * channels  # sums on the columns of a weight
        return Cost(
            cycles,
            book_aj(
                cycles * energy.aj_per_cycle
                + tile.macs * energy.aj_per_mac
                + passes * energy.aj_per_pass
                + a_group // lies.row_groups * lies.rows_driven(channels) * energy.aj_per_row
                + summed * self.precision.columns * energy.aj_per_column
                + summed * self.precision.slices * self._conversion_aj
                + tile.out_rows * tile.out_width * channels * energy.aj_per_output
            ),
        )

    def facts(self) -> tuple[Fact, ...]:
        outputs = self.array[1] // self.precision.columns
        shared = ceil_div(outputs * self.precision.slices, self.adc.converters or self.array[1])
        busy_ps = (self.pass_time_ps + shared * (self.adc.time_ps or 0)) * self.precision.repeats
        return (
            Fact("peak_tops", "TOPS peak", round(2 * self.array[0] * outputs / busy_ps, 6)),  # op/ps
            Fact("adc_bits", "bit ADC", self.adc.bits),
            *self._accuracy(self.array[0]),
        )

    def layer_facts(self, layer: Layer) -> tuple[Fact, ...]:
        if self.on_vector_unit(layer.kind):
            return ()
        lies = self._mapping(layer)
        height, width, channels = layer.out_shape
        side_by_side = min(lies.outputs, channels)
        products = ceil_div(lies.weights, lies.row_groups)
        driven = ceil_div(lies.driven, lies.row_groups) * (side_by_side if lies.diagonal else 1)
        return (
            Fact("rows", "rows", driven),
            Fact("columns", "columns", side_by_side * lies.pixels * self.precision.columns),
            Fact("pixels", "pixels", lies.pixels),
            Fact("passes", "passes", self._passes_a_group(lies, height, width) * lies.groups(channels)),
            *self._accuracy(products),
        )

    def _accuracy(self, products: int) -> tuple[Fact, ...]:
        """What a conversion keeps of a sum of ``products``: input bits of a pass times weight bits of a cell."""
        operands = (
            min(self.precision.dac or self.precision.input, self.precision.input),
            min(self.precision.cell or self.precision.weight, self.precision.weight),
        )
        needed = bits_needed(float(operands[0]), float(operands[1]), products)
        sigmas = None if self.adc.sigmas is None else float(self.adc.sigmas)
        kept = effective_bits(float(self.adc.effective), needed, products, sigmas)
        # Two decimals, so that no library's last digit of a logarithm shows.
        return (
            Fact("bits_needed", "bits needed", round(needed, 2)),
            Fact("effective_bits", "effective bits", round(kept, 2)),
        )

    def _mapping(self, layer: Layer) -> _Mapping:
        rows, columns = self.array
        outputs = columns // self.precision.columns
        taps = layer.kernel[0] * layer.kernel[1]
        weights = layer.weights_per_channel
        if layer.kind == "depthwise":
            side_by_side = min(outputs, max(1, rows // taps), self.channels or outputs)
            return _Mapping(weights, weights, ceil_div(weights, rows), side_by_side, 1, True)
        ins = weights // taps
        groups = max(ceil_div(ins, self.channels or ins), ceil_div(weights, rows))
        pixels = self._unrolled(layer, ins, outputs)
        return _Mapping(weights, self._behind(layer, ins, pixels), groups, outputs // pixels, pixels, False)

    def _behind(self, layer: Layer, ins: int, pixels: int) -> int:
        """Inputs behind ``pixels`` neighbouring outputs: windows that overlap share theirs."""
        height, width = layer.kernel
        step = 1 if self.unroll is not None and not self.unroll.strided else min(layer.stride[1], width)
        return ins * height * (width + (pixels - 1) * step)

    def _unrolled(self, layer: Layer, ins: int, outputs: int) -> int:
        """Output pixels of a pass. Decided for the layer, so that a tile of it does not lie otherwise."""
        if self.unroll is None:
            return 1
        found, deep = 1, max(ins, self.unroll.channels)
        while found < layer.out_shape.width and (more := 2 * found) <= self.unroll.pixels:
            if more * layer.out_shape.channels > outputs or self._behind(layer, deep, more) > self.array[0]:
                break
            found = more
        return found

    def _passes_a_group(self, lies: _Mapping, height: int, width: int) -> int:
        """Passes of ``height`` × ``width`` output pixels, for one group of output channels."""
        return lies.row_groups * height * ceil_div(width, lies.pixels) * self.precision.repeats

    def _turns(self, lies: _Mapping, channels: int) -> int:
        """Conversions one after the other in a pass of each group of outputs; columns spread over the converters."""
        full, rest = divmod(channels, lies.outputs)
        converters = self.adc.converters or self.array[1]
        columns = (outputs * lies.pixels * self.precision.slices for outputs in (lies.outputs, rest))
        whole, last = (ceil_div(count, converters) for count in columns)
        return full * whole + last

    @property
    def _conversion_aj(self) -> Fraction:
        stated = self.energy.aj_per_conversion
        return stated if self.adc.multiple is None else stated + envelope_aj(self.adc.effective, self.adc.multiple)


KIND = Imc
