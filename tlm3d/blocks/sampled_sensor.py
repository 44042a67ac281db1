"""A sensor whose channels are sampled in time: a microphone, electrodes, an accelerometer."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from pydantic import Field, model_validator

from tlm3d.blocks import Row, SensorSpec
from tlm3d.sensing.filter_bank import FilterBankSpec
from tlm3d.spec.quantities import Count, FrequencyHz, Frozen, TimePs
from tlm3d.units import PS_PER_S, book_aj, ceil_div, release_ps, show, state_energy_aj

MAX_PACKETS = 100_000  # of a frame; they are listed


class SampledModeSpec(Frozen):
    """A frame is the newest ``samples`` of every channel, or what a ``filter_bank`` makes of them."""

    samples: Count | None = None  # default: those of a frame period, so that frames follow each other
    bits: Count | None = None
    filter_bank: FilterBankSpec | None = None

    @property
    def decimation(self) -> int:
        """Samples of a channel to each step in time that is converted."""
        return self.filter_bank.decimation if self.filter_bank else 1


class SampledSensor(SensorSpec):
    """``channels`` sampled at ``sample_rate``, amplified, converted and written to the memory ``home`` in packets.

    Sample n is there at ⌊n / sample_rate⌋ after the tick, having been converted in its own sample period. Frames that
    are longer than the frame period overlap: what was brought before stays in memory, only what is new is converted
    and sent. The block is active from ``settle`` before a frame until its last sample.
    """

    sample_rate_hz: FrequencyHz = Field(alias="sample_rate")
    channels: Count = 1
    packet: Count = 64
    settle_ps: TimePs = Field(alias="settle", default=0)
    modes: dict[str, SampledModeSpec] = Field(default_factory=lambda: {"full": SampledModeSpec()})

    MODES_AT_ONCE = True

    @model_validator(mode="after")
    def _keeps_up(self) -> SampledSensor:
        if self.sample_rate_hz > PS_PER_S:
            raise ValueError("expected at most one sample a picosecond, the resolution of time: 1 THz")
        for name in self.modes:
            step_ps, values = self.modes[name].decimation * PS_PER_S / self.sample_rate_hz, self._values(name)
            if self.adc.time_ps(values) > step_ps:
                need = show(float(values * PS_PER_S / step_ps), "S/s")
                raise ValueError(f"mode '{name}': the converters cannot keep up with {need}")
        fault = self.clock_fault(self.frame_rate_hz)
        if fault is not None:
            raise ValueError(fault)
        return self

    @property
    def mode_names(self) -> tuple[str, ...]:
        return tuple(self.modes)

    @property
    def lead_ps(self) -> int:
        return self.settle_ps

    @property
    def hop(self) -> int:
        """Samples of a channel in a frame period."""
        return int(self.sample_rate_hz / self.frame_rate_hz)

    def _samples(self, mode: str) -> int:
        return self.modes[mode].samples or self.hop

    def _values(self, mode: str) -> int:
        """Values converted at each step in time: one of every channel, or of every band of every channel."""
        bank = self.modes[mode].filter_bank
        return self.channels * (bank.bands if bank else 1)

    def frame_shape(self, mode: str) -> tuple[int, int, int]:
        """(steps in time, bands, channels) of one frame of ``mode``."""
        bank = self.modes[mode].filter_bank
        return self._samples(mode) // self.modes[mode].decimation, bank.bands if bank else 1, self.channels

    def sample_bits(self, mode: str) -> int:
        """Bits of one value in ``mode``."""
        return self.modes[mode].bits or self.bits

    def _bytes(self, mode: str, samples: int) -> int:
        steps = samples // self.modes[mode].decimation
        return ceil_div(steps * self._values(mode) * self.sample_bits(mode), 8)

    def frame_bytes(self, mode: str) -> int:
        return self._bytes(mode, self._samples(mode))

    def stored_bytes(self, mode: str, frames: int) -> int:
        """What is new in each of the frames, and once what the first of them has from before."""
        old = max(0, self._samples(mode) - self.hop)
        return self._bytes(mode, old) + frames * sum(row.bytes for row in self.emits(mode))

    def emits(self, mode: str) -> tuple[Row, ...]:
        """The packets of what is new in a frame of ``mode``, times relative to its tick."""
        spec, values, bits = self.modes[mode], self._values(mode), self.sample_bits(mode)
        steps = min(self._samples(mode), self.hop) // spec.decimation
        bank_nw = spec.filter_bank.power_nw if spec.filter_bank else 0
        each_aj = values * self.adc.conversion_aj(bits)
        rows, start_ps = [], 0
        for first in range(0, steps, self.packet):
            count = min(self.packet, steps - first)
            end_ps = release_ps((first + count) * spec.decimation, self.sample_rate_hz)
            n_bytes = ceil_div(count * values * bits, 8)
            analog_aj = state_energy_aj(bank_nw, start_ps, end_ps)
            rows.append(Row(start_ps, end_ps, n_bytes, 0, book_aj(count * each_aj), analog_aj))
            start_ps = end_ps
        return tuple(rows)

    def frame_times_ps(self, modes: Collection[str]) -> dict[str, int]:
        """Samples of a period fit it; the time to settle must, too."""
        return {"readout": max((self.emits(mode)[-1].end_ps for mode in modes), default=0), "settle": self.settle_ps}

    def clock_fault(self, rate_hz: Fraction) -> str | None:
        hop = self.sample_rate_hz / rate_hz
        clocks = f"sample_rate {show(float(self.sample_rate_hz), 'S/s')}, frame_rate {show(float(rate_hz), 'Hz')}"
        if hop.denominator != 1:
            return f"expected whole samples in a frame period, got {float(hop):.6g}: {clocks}"
        for name, mode in self.modes.items():
            samples = mode.samples or int(hop)
            for what, count in (("frame period", int(hop)), ("frame", samples)):
                if count % mode.decimation:
                    return f"mode '{name}': a {what} of {count} samples is no multiple of decimation {mode.decimation}"
            if min(samples, int(hop)) > MAX_PACKETS * self.packet * mode.decimation:
                return f"mode '{name}': a frame has more than {MAX_PACKETS} packets: {clocks}"
        return None

    def gap_fault(self, mode: str, every: int) -> str | None:
        if every > 1 and self._samples(mode) > self.hop:
            lasting = f"a frame of {self._samples(mode)} samples lasts longer than the frame period of {self.hop}"
            return f"{lasting}, so that every one must be taken: expected 'every: 1' and a slower frame clock"
        return None


KIND = SampledSensor
