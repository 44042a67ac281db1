"""A mixed-signal sensor die: pixels, front end, converters, a row at a time."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from tlm3d.blocks import BlockSpec
from tlm3d.spec.quantities import (
    AjPerConversion,
    AjPerPixel,
    Count,
    FrequencyHz,
    Frozen,
    SizeBits,
    TimePs,
)
from tlm3d.units import PS_PER_S, book_aj, ceil_div, duration_ps

MAX_SIDE = 100_000  # pixels; beyond anything made, and a frame's rows are listed


class Row(NamedTuple):
    """One row of a frame: converted over [start, end) after the start of readout."""

    start_ps: int
    end_ps: int
    bytes: int
    sensing_aj: int
    conversion_aj: int


class AdcSpec(Frozen):
    """``converters`` working side by side, each doing ``rate`` conversions a second."""

    converters: Count = 1
    rate_hz: FrequencyHz = Field(alias="rate")
    aj_per_conversion: AjPerConversion = Field(alias="energy", default=Fraction(0))


class ModeSpec(Frozen):
    """What of the array is read: a ``window`` [width, height], ``bin`` × ``bin`` pixels joined into each sample.

    ``channels`` samples a position (3 for a colour mosaic read as RGB).
    """

    window: tuple[Count, Count] | None = None
    bin: Count = 1
    channels: Count = 1
    bits: Count | None = None


class MixedSignal(BlockSpec):
    """An image sensor with its front end and ADCs; it writes rows to the memory ``home``.

    A row takes ``row_settle`` and then ⌈samples / converters⌉ conversions. ``energy`` is the pixel and front end's for
    each sample read (binning joins charge before the front end), the ADC's comes on top. The block is active during
    exposure and readout. Rows wait for the link in a FIFO of ``fifo``; when it is full the frame is lost.
    """

    sensor: Literal["image"] = "image"
    pixels: tuple[Count, Count]
    frame_rate_hz: FrequencyHz = Field(alias="frame_rate")
    bits: Count
    aj_per_pixel: AjPerPixel = Field(alias="energy", default=Fraction(0))
    adc: AdcSpec
    row_settle_ps: TimePs = Field(alias="row_settle", default=0)
    exposure_ps: TimePs = Field(alias="exposure", default=0)
    fifo_bits: SizeBits = Field(alias="fifo", default=8 * 4096)
    modes: dict[str, ModeSpec] = Field(default_factory=lambda: {"full": ModeSpec()})
    home: str | None = None  # default: the only memory of the die

    ROLE = "sensor"

    @model_validator(mode="after")
    def _windows_fit(self) -> MixedSignal:
        width, height = self.pixels
        if max(width, height) > MAX_SIDE:
            raise ValueError(f"an array of {width} x {height} pixels is larger than {MAX_SIDE} on a side")
        for name, mode in self.modes.items():
            w, h = mode.window or self.pixels
            if w > width or h > height:
                raise ValueError(
                    f"mode '{name}': window {w} x {h} is larger than the array of {width} x {height} pixels"
                )
            if mode.bin > min(w, h):
                raise ValueError(f"mode '{name}': bin {mode.bin} is larger than the window of {w} x {h} pixels")
        return self

    def frame_shape(self, mode: str) -> tuple[int, int, int]:
        """(rows, columns, channels) of samples in one frame of ``mode``."""
        spec = self.modes[mode]
        width, height = spec.window or self.pixels
        return height // spec.bin, width // spec.bin, spec.channels

    def sample_bits(self, mode: str) -> int:
        """Bits of one sample in ``mode``."""
        return self.modes[mode].bits or self.bits

    def emits(self, mode: str) -> tuple[Row, ...]:
        """The rows of one frame of ``mode``, in order, times relative to the start of its readout."""
        rows, columns, channels = self.frame_shape(mode)
        samples = columns * channels
        row_exact = Fraction(self.row_settle_ps)
        row_exact += ceil_div(samples, self.adc.converters) * PS_PER_S / self.adc.rate_hz
        n_bytes = ceil_div(samples * self.sample_bits(mode), 8)
        sensing = book_aj(samples * self.aj_per_pixel)
        conversion = book_aj(samples * self.adc.aj_per_conversion)
        ends = [duration_ps((r + 1) * row_exact) for r in range(rows)]
        return tuple(
            Row(start, end, n_bytes, sensing, conversion) for start, end in zip([0, *ends[:-1]], ends, strict=True)
        )


KIND = MixedSignal
