"""A convolution in the sensor: only its results are converted."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from tlm3d.spec.quantities import AjPerMac, Count, Frozen, TimePs
from tlm3d.units import ceil_div


class ConvolutionSpec(Frozen):
    """Sums of products of charge: ``channels`` kernels over all channels of the samples read, without padding.

    A row of results needs the rows of samples below the kernel; those it shares with the row before are read once.
    ``settle`` passes before the conversions of each channel of a row.
    """

    kernel: tuple[Count, Count]  # height, width
    stride: tuple[Count, Count] = (1, 1)  # down, across
    channels: Count
    weight_levels: Count = 256
    aj_per_mac: AjPerMac = Field(alias="energy", default=Fraction(0))
    settle_ps: TimePs = Field(alias="settle", default=0)

    def out_shape(self, rows: int, columns: int) -> tuple[int, int, int]:
        """(rows, columns, channels) of the results of ``rows`` × ``columns`` positions."""
        (height, width), (down, across) = self.kernel, self.stride
        return (rows - height) // down + 1, (columns - width) // across + 1, self.channels

    def rows_read(self, row: int) -> int:
        """Rows of samples that are read for ``row`` of the results."""
        height, down = self.kernel[0], self.stride[0]
        return min(height, down) if row else height

    def macs(self, results: int, in_channels: int) -> int:
        """Multiply-accumulates of ``results``."""
        return results * self.kernel[0] * self.kernel[1] * in_channels

    def weight_bytes(self, in_channels: int) -> int:
        """What must be in place before it works: a weight of ``weight_levels`` for every MAC of a position."""
        bits = self.macs(self.channels, in_channels) * (self.weight_levels - 1).bit_length()
        return ceil_div(bits, 8)
