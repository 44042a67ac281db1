"""What holds for every sensor: fewer samples cost no more, parts add up, time grows with what is read."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.systems import Case, Tree, as_text

from tlm3d.blocks import Row, SensorSpec
from tlm3d.errors import ElaborationError, SpecError
from tlm3d.plugins import load_kind
from tlm3d.technology.adc import envelope_aj
from tlm3d.technology.amplifier import amplifier_nw
from tlm3d.units import release_ps, state_energy_aj

_RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
SMALL = st.integers(1, 6)


@st.composite
def adcs(draw: st.DrawFn) -> Tree:
    adc: Tree = {"converters": draw(st.integers(1, 9)), "rate": f"{draw(st.integers(1, 50))} MS/s"}
    if draw(st.booleans()):
        return {**adc, "energy": f"{draw(st.integers(0, 99))} fJ"}
    return {**adc, "envelope": {"enob": draw(st.integers(2, 24)) / 2, "multiple": draw(SMALL)}}


@st.composite
def eyes(draw: st.DrawFn) -> Tree:
    sides = st.integers(6, 20)
    mode: Tree = {"window": [draw(sides), draw(sides)], "channels": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        mode["convolution"] = {
            "kernel": [draw(SMALL), draw(SMALL)], "stride": [draw(SMALL), draw(SMALL)], "channels": draw(SMALL),
            "energy": f"{draw(st.integers(0, 99))} fJ", "settle": f"{draw(st.integers(0, 99))} ns",
        }  # fmt: skip
    return {
        "kind": "mixed-signal", "pixels": [20, 20], "frame_rate": "100 Hz", "bits": draw(st.integers(1, 14)),
        "energy": f"{draw(st.integers(0, 99))} pJ", "row_settle": f"{draw(st.integers(0, 9999))} ps",
        "exposure": f"{draw(st.integers(0, 9))} us", "adc": draw(adcs()), "modes": {"full": mode},
    }  # fmt: skip


@st.composite
def mics(draw: st.DrawFn) -> Tree:
    hop, decimation = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    mode: Tree = {"samples": decimation * draw(st.integers(1, 20))}
    if draw(st.booleans()):
        bank = {"bands": draw(SMALL), "decimation": decimation, "power": f"{draw(st.integers(0, 9999))} nW"}
        mode |= {"filter_bank": bank, "bits": draw(st.integers(1, 9))}
    rate = draw(st.integers(1, 99_999))
    return {
        "kind": "sampled-sensor", "sample_rate": f"{rate * hop * decimation} Hz", "frame_rate": f"{rate} Hz",
        "bits": draw(st.integers(1, 14)), "channels": draw(SMALL), "packet": draw(st.integers(1, 9)),
        "adc": {**draw(adcs()), "converters": 36, "rate": "1 GS/s"}, "modes": {"full": mode},
    }  # fmt: skip


def spec_of(tree: Tree) -> SensorSpec:
    found: SensorSpec = load_kind("blocks", tree["kind"]).model_validate(as_text(tree))
    return found


def changed(tree: Tree, **mode: object) -> SensorSpec:
    return spec_of({**tree, "modes": {"full": {**tree["modes"]["full"], **mode}}})


def costs(spec: SensorSpec) -> list[int]:
    """Bytes, energies and time of a frame."""
    rows: tuple[Row, ...] = spec.emits("full")
    return [*(sum(row[i] for row in rows) for i in range(2, len(Row._fields))), rows[-1].end_ps]


@given(eyes(), st.data())
def test_a_smaller_window_costs_no_more_of_anything(tree: Tree, data: st.DataObject) -> None:
    window = [data.draw(st.integers(6, side)) for side in tree["modes"]["full"]["window"]]
    less, more = costs(changed(tree, window=window)), costs(spec_of(tree))
    assert all(a <= b for a, b in zip(less, more, strict=True))


@given(eyes(), st.integers(2, 6))
def test_binning_costs_no_more_of_anything(tree: Tree, bin_: int) -> None:
    tree["modes"]["full"].pop("convolution", None)
    assert all(a <= b for a, b in zip(costs(changed(tree, bin=bin_)), costs(spec_of(tree)), strict=True))


@given(eyes(), SMALL, SMALL)
def test_a_convolution_with_a_longer_stride_or_fewer_kernels_costs_no_more(tree: Tree, longer: int, fewer: int) -> None:
    convolution = tree["modes"]["full"].get("convolution")
    assume(convolution)
    down, across = convolution["stride"]
    strided = {**convolution, "stride": [down + longer, across + longer], "kernel": [1, 1]}
    unstrided = {**convolution, "kernel": [1, 1]}
    pairs = [(strided, unstrided), ({**convolution, "channels": min(fewer, convolution["channels"])}, convolution)]
    for less, more in pairs:
        found = [costs(changed(tree, convolution=one)) for one in (less, more)]
        assert all(a <= b for a, b in zip(*found, strict=True))


@given(eyes())
def test_every_sample_that_a_kernel_sees_is_paid_for_once(tree: Tree) -> None:
    convolution = tree["modes"]["full"].get("convolution")
    assume(convolution)
    (width, height), (kernel, _), (down, _) = (
        tree["modes"]["full"]["window"], convolution["kernel"], convolution["stride"],
    )  # fmt: skip
    seen = {row for top in range(0, height - kernel + 1, down) for row in range(top, top + kernel)}
    pixel_aj = int(tree["energy"].split()[0]) * 10**6
    sensing = sum(row.sensing_aj for row in spec_of(tree).emits("full"))
    assert sensing == len(seen) * width * tree["modes"]["full"]["channels"] * pixel_aj


@given(st.one_of(eyes(), mics()))
def test_rows_follow_each_other_and_a_slower_converter_makes_none_of_them_earlier(tree: Tree) -> None:
    spec = spec_of(tree)
    rows = spec.emits("full")
    assert rows[0].start_ps == 0
    assert all(before.end_ps == after.start_ps for before, after in pairwise(rows))
    assert all(row.start_ps < row.end_ps for row in rows)
    slower = spec_of({**tree, "adc": {**tree["adc"], "rate": "1 MS/s"}}) if tree["kind"] == "mixed-signal" else spec
    assert all(a.end_ps <= b.end_ps for a, b in zip(rows, slower.emits("full"), strict=True))


@given(mics())
def test_samples_of_a_frame_lie_in_its_period_and_are_no_more_than_it_has(tree: Tree) -> None:
    spec = spec_of(tree)
    assert spec.emits("full")[-1].end_ps <= release_ps(1, spec.frame_rate_hz)
    assert sum(row.bytes for row in spec.emits("full")) <= spec.stored_bytes("full", 1)
    assert spec.frame_bytes("full") <= spec.stored_bytes("full", 1)
    shape = spec.frame_shape("full")
    bits = tree["modes"]["full"].get("bits", tree["bits"])
    assert spec.frame_bytes("full") == -(-shape[0] * shape[1] * shape[2] * bits // 8)


@_RELAXED
@given(st.one_of(eyes(), mics()), st.integers(1, 3), st.booleans())
def test_the_energy_of_a_sensor_is_that_of_its_rows_and_its_states(tree: Tree, every: int, amplified: bool) -> None:
    states = {"active": "5 uW", "idle": "1 uW"}
    sensor = {**tree, "states": states, "leakage": "300 nW", "home": "sram", "fifo": "1 MiB"}
    if amplified:
        sensor["front_end"] = {"bandwidth": "8 kHz", "noise": "5 uV", "supply": "1 V", "nef": 3}
    blocks: dict[str, Any] = {"sensor": sensor, "core": {"kind": "processor"}}
    blocks["sram"] = {"kind": "memory", "capacity": "1 MiB", "rate": "100 Gbit/s"}
    task = {"stages": [{"time": "1 ns", "on": "core"}], "input": {"camera": "sensor", "every": every}}
    platform = {"name": "p", "dies": {"top": {"tier": 0, "blocks": blocks}}}
    spec = spec_of(sensor)
    period_ps = release_ps(1, spec.frame_rate_hz)
    case = Case(platform, {"name": "w", "tasks": {"take": task}}, horizon_ps=5 * period_ps + 1)
    try:
        result = case.judge()
    except (ElaborationError, SpecError):
        assume(False)
    accounts: dict[str, int] = {}
    for account in result.accounts:
        if account.component == "sensor":
            accounts[account.what] = accounts.get(account.what, 0) + account.energy_aj
    frames = [span for span in result.recording.spans if span.what == "sensing"]
    done = [span for span in frames if span.end_ps <= case.horizon_ps]
    assert len(frames) - len(done) <= 1
    for what, of_row in (("sensing", 3), ("conversion", 4), ("analog", 5)):
        frame_aj = sum(row[of_row] for row in spec.emits("full"))
        assert len(done) * frame_aj <= accounts.get(what, 0) <= len(frames) * frame_aj
    assert spec.active_nw == 5000 + (1938 if amplified else 0)
    lasting_ps = 0
    for what, power_nw in (("active", spec.active_nw), ("idle", 1000)):
        states_of = [s for s in result.recording.states if s.component.name == "sensor" and s.what == what]
        lasting_ps += sum(state.end_ps - state.start_ps for state in states_of)
        drawn_aj = [state_energy_aj(power_nw, state.start_ps, state.end_ps) for state in states_of]
        assert accounts.get(what, 0) == sum(drawn_aj)
    assert lasting_ps == case.horizon_ps


# ------------------------------------------------------------ physics

PARTS = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100)


@given(PARTS, PARTS, PARTS, PARTS, PARTS, PARTS)
def test_half_the_noise_takes_four_times_the_power(
    nef: Fraction, noise: Fraction, bandwidth: Fraction, supply: Fraction, temperature: Fraction, by: Fraction
) -> None:
    power_nw = amplifier_nw(nef, noise, bandwidth, supply, temperature)
    assert amplifier_nw(nef, noise / by, bandwidth, supply, temperature) == power_nw * by**2
    assert amplifier_nw(nef * by, noise, bandwidth, supply, temperature) == power_nw * by**2
    assert amplifier_nw(nef, noise, bandwidth * by, supply, temperature) == power_nw * by
    assert amplifier_nw(nef, noise, bandwidth, supply * by, temperature) == power_nw * by
    assert amplifier_nw(nef, noise, bandwidth, supply, temperature * by) == power_nw * by**2  # kT of noise, kT/q of gm


ENOBS = st.fractions(min_value=0, max_value=32, max_denominator=1000)


@given(ENOBS, ENOBS, PARTS)
def test_more_effective_bits_never_cost_less_and_each_quadruples_the_noise_part(
    enob: Fraction, more: Fraction, multiple: Fraction
) -> None:
    floor_aj = envelope_aj(Fraction(0), multiple) - multiple * Fraction(145, 1000)
    part_aj, next_aj = (envelope_aj(bits, multiple) - floor_aj for bits in (enob, enob + 1))
    assert abs(next_aj / part_aj - 4) < Fraction(1, 10**25)
    low, high = sorted((enob, enob + more))
    assert envelope_aj(low, multiple) <= envelope_aj(high, multiple)
