"""A mixed-signal sensor die: pixels, front end, converters, a row at a time."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from itertools import accumulate
from typing import Literal

from pydantic import Field, model_validator

from tlm3d.blocks import Row, SensorSpec
from tlm3d.sensing.convolution import ConvolutionSpec
from tlm3d.spec.quantities import AjPerPixel, Count, Frozen, TimePs
from tlm3d.units import book_aj, ceil_div, duration_ps

MAX_SIDE = 100_000  # pixels; beyond anything made, and a frame's rows are listed


class ModeSpec(Frozen):
    """What of the array is read: a ``window`` [width, height], ``bin`` × ``bin`` pixels joined into each sample.

    ``channels`` samples a position (3 for a colour mosaic read as RGB). With a ``convolution`` its results are
    converted in the place of the samples.
    """

    window: tuple[Count, Count] | None = None
    bin: Count = 1
    channels: Count = 1
    bits: Count | None = None
    convolution: ConvolutionSpec | None = None


class MixedSignal(SensorSpec):
    """An image sensor with its front end and ADCs; it writes rows to the memory ``home``.

    A row takes ``row_settle`` and then ⌈samples / converters⌉ conversions. ``energy`` is the pixel and front end's for
    each sample read (binning joins charge before the front end), the ADC's comes on top. The block is active during
    exposure and readout. Rows wait for the link in a FIFO of ``fifo``; when it is full the frame is lost.
    """

    sensor: Literal["image"] = "image"
    pixels: tuple[Count, Count]
    aj_per_pixel: AjPerPixel = Field(alias="energy", default=Fraction(0))
    shutter: Literal["rolling", "global"] = "rolling"
    row_settle_ps: TimePs = Field(alias="row_settle", default=0)
    exposure_ps: TimePs = Field(alias="exposure", default=0)
    modes: dict[str, ModeSpec] = Field(default_factory=lambda: {"full": ModeSpec()})

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
            rows, columns, _ = self._sampled(mode)
            if mode.convolution and (mode.convolution.kernel[0] > rows or mode.convolution.kernel[1] > columns):
                kernel = " x ".join(map(str, mode.convolution.kernel))
                raise ValueError(f"mode '{name}': kernel {kernel} is larger than the {rows} x {columns} samples read")
        return self

    @property
    def mode_names(self) -> tuple[str, ...]:
        return tuple(self.modes)

    @property
    def lead_ps(self) -> int:
        """The exposure of the first row, which ends when it is read."""
        return self.exposure_ps

    def _sampled(self, mode: ModeSpec) -> tuple[int, int, int]:
        """(rows, columns, channels) of the samples read from the array."""
        width, height = mode.window or self.pixels
        return height // mode.bin, width // mode.bin, mode.channels

    def frame_shape(self, mode: str) -> tuple[int, int, int]:
        """(rows, columns, channels) of what is converted for one frame of ``mode``."""
        spec = self.modes[mode]
        rows, columns, channels = self._sampled(spec)
        return spec.convolution.out_shape(rows, columns) if spec.convolution else (rows, columns, channels)

    def sample_bits(self, mode: str) -> int:
        """Bits of one sample in ``mode``."""
        return self.modes[mode].bits or self.bits

    def weight_bytes(self, mode: str) -> int:
        spec = self.modes[mode]
        return spec.convolution.weight_bytes(spec.channels) if spec.convolution else 0

    def emits(self, mode: str) -> tuple[Row, ...]:
        """The rows of one frame of ``mode``, in order, times relative to the start of its readout."""
        spec = self.modes[mode]
        rows, columns, channels = self.frame_shape(mode)
        bits, converted = self.sample_bits(mode), columns * channels
        n_bytes = ceil_div(converted * bits, 8)
        conversion = book_aj(converted * self.adc.conversion_aj(bits))
        _, width, depth = self._sampled(spec)
        row_aj = width * depth * self.aj_per_pixel
        if spec.convolution is None:
            row_exact = self.row_settle_ps + self.adc.time_ps(converted)
            ends = [duration_ps((r + 1) * row_exact) for r in range(rows)]
            sensing, analog = [book_aj(row_aj)] * rows, 0
        else:
            read = [spec.convolution.rows_read(r) for r in range(rows)]
            sums = channels * spec.convolution.settle_ps + self.adc.time_ps(converted)
            ends = [duration_ps(end) for end in accumulate(n * self.row_settle_ps + sums for n in read)]
            sensing = [book_aj(n * row_aj) for n in read]
            analog = book_aj(spec.convolution.macs(converted, depth) * spec.convolution.aj_per_mac)
        return tuple(
            Row(start, end, n_bytes, sensing_aj, conversion, analog)
            for start, end, sensing_aj in zip([0, *ends[:-1]], ends, sensing, strict=True)
        )

    def frame_times_ps(self, modes: Collection[str]) -> dict[str, int]:
        """Readout and exposure, which overlap from row to row; of a global shutter the one follows the other."""
        readout_ps = sum(self.emits(mode)[-1].end_ps for mode in modes)
        if self.shutter == "global":
            return {"exposure and readout": self.exposure_ps + readout_ps}
        return {"readout": readout_ps, "exposure": self.exposure_ps}


KIND = MixedSignal
