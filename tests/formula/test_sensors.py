"""Sensors worked by hand: the examples of docs/formats.md, packets of a microphone, a convolution in the sensor.

The microphone: three samples a frame at 30 kHz, so a frame period of 100 us; 12 bits, two channels, packets of two
samples: 48 bits are 6 bytes, 6 us over the bond and 100 ns of latency, 600 ns into the memory and 1 ns; the rest of a
frame, one sample, is 3 bytes.
"""

from __future__ import annotations

import re
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from reference.systems import Case, Tree

from tlm3d.analysis.blame import blame
from tlm3d.blocks import SensorSpec
from tlm3d.errors import ElaborationError, SpecError
from tlm3d.plugins import load_kind
from tlm3d.record.recording import JobEnd, Recording
from tlm3d.technology.adc import envelope_aj
from tlm3d.technology.amplifier import amplifier_nw

US = 10**6  # ps
MS = 10**9
NJ = 10**9  # aJ
PACKET_PS = 6_100_000 + 601_000
REST_PS = 3_100_000 + 301_000
PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def of_page(name: str) -> Tree:
    """The block ``name`` as the page of keys shows it, in text."""
    (text,) = re.findall(rf"^```yaml\n({name}:\n.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    tree: Tree = yaml.load(text, yaml.BaseLoader)[name]
    return tree


def stack(sensor: Tree) -> Tree:
    core, sram = {"kind": "processor"}, {"kind": "memory", "capacity": "64 KiB", "rate": "80 Mbit/s"}
    dies = {"top": {"tier": 1, "blocks": {"sensor": {"home": "below.sram", **sensor}}}}
    dies["below"] = {"tier": 0, "blocks": {"sram": {"latency": "1 ns", **sram}, "core": core}}
    bond = {"kind": "hybrid-bond", "between": ["top", "below"], "rate": "8 Mbit/s", "latency": "100 ns"}
    return {"name": "sensor", "dies": dies, "links": {"bond": {"energy": "1 pJ/bit", **bond}}}


def taking(mode: str = "full", every: int = 1, **keys: object) -> Tree:
    stage = {"time": "1 us", "on": "core"}
    task = {"stages": [stage], "input": {"camera": "sensor", "mode": mode, "every": every}, "deadline": "10 s"}
    return {**task, **keys}


def case(sensor: Tree, tasks: Tree, horizon_ps: int, **workload: object) -> Case:
    return Case(stack(sensor), {"name": "w", "tasks": tasks, **workload}, horizon_ps=horizon_ps)


def mic(**keys: object) -> Tree:
    return {
        "kind": "sampled-sensor", "sample_rate": "30 kHz", "frame_rate": "10 kHz", "bits": 12, "channels": 2,
        "packet": 2, "adc": {"converters": 2, "rate": "1 MHz", "energy": "3 pJ"}, **keys,
    }  # fmt: skip


def listen(tasks: Tree, horizon_ps: int = 100 * US, **keys: object) -> Recording:
    return case(mic(**keys), tasks, horizon_ps).run()


def landed_ps(recording: Recording) -> list[int]:
    return [leg.finish_ps for leg in recording.legs if leg.channel == "below.sram"]


def sent_bits(recording: Recording) -> int:
    return sum(leg.bits for leg in recording.legs if leg.channel == "bond:top>below")


def jobs_of(recording: Recording, task: str) -> list[JobEnd]:
    return sorted((job for job in recording.jobs if job.task == task), key=lambda job: job.index)


def spent(recording: Recording, what: str) -> list[int]:
    return [span.energy_aj for span in recording.spans if span.what == what]


# ------------------------------------------------------------ the examples of the page


def table(section: str, first: str) -> dict[str, list[str]]:
    """By its first cell the other cells of a row of the table that begins with ``first``."""
    part = PAGE.split(f"## Block kind `{section}`")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
    start = next(i for i, row in enumerate(rows) if row[0] == first)
    return {row[0].strip("`"): row[1:] for row in rows[start + 2 : start + 4]}


def three_digits(value: float, unit: str) -> str:
    from tlm3d.units import show

    return show(value, unit).replace(".00 ", " ") if value else "–"


def spec_of(tree: Tree) -> SensorSpec:
    found: SensorSpec = load_kind("blocks", tree["kind"]).model_validate(tree)
    return found


@pytest.mark.parametrize("mode", ["image", "edges"])
def test_the_image_sensor_of_the_page_spends_what_stands_there(mode: str) -> None:
    conversions, conversion, analog, sensing, readout, n_bytes = table("mixed-signal", "a frame of")[mode]
    tree = of_page("eye")
    recording = case({**tree, "fifo": "16 KiB"}, {"see": taking(mode)}, 100 * MS).run()
    spec = spec_of(tree)
    rows, columns, channels = spec.frame_shape(mode)
    assert str(rows * columns * channels) == conversions
    assert three_digits(sum(spent(recording, "conversion")) / 1e18, "J") == conversion
    assert three_digits(sum(spent(recording, "analog")) / 1e18, "J") == analog
    assert three_digits(sum(spent(recording, "sensing")) / 1e18, "J") == sensing
    assert f"{spec.emits(mode)[-1].end_ps // US} us" == readout
    assert sent_bits(recording) == 8 * int(n_bytes)


@pytest.mark.parametrize("mode", ["wave", "features"])
def test_the_microphone_of_the_page_spends_what_stands_there(mode: str) -> None:
    conversions, conversion, analog, front_end, sent, read = table("sampled-sensor", "a frame of")[mode]
    tree = of_page("mic")
    recording = case(tree, {"hear": taking(mode)}, 500 * MS).run()
    spec = spec_of(tree)
    each_aj = envelope_aj(min(Fraction(10), Fraction(8 if mode == "features" else 12)), Fraction(10))
    (spent_aj,) = spent(recording, "conversion")
    assert round(spent_aj / each_aj) == int(conversions)
    assert three_digits(spent_aj / 1e18, "J") == conversion
    assert three_digits(sum(spent(recording, "analog")) / 1e18, "J") == analog
    (active,) = [state for state in recording.states if state.what == "active"]
    assert (active.start_ps, active.end_ps) == (0, 500 * MS)
    assert three_digits(active.power_nw * 500 * 10**6 / 1e18, "J") == front_end
    assert sum(row.bytes for row in spec.emits(mode)) == int(sent.replace(" ", ""))
    assert spec.frame_bytes(mode) == int(read.replace(" ", ""))


def numbers(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every number in ``tree``."""
    if isinstance(tree, dict | list):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return [found for key, value in items for found in numbers(value, (*path, key))]
    return [path] if tree[0].isdigit() else []


def doubled(tree: Tree, path: tuple[Any, ...]) -> Tree:
    changed = deepcopy(tree)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    number, unit = re.fullmatch(r"([\d.]+)(.*)", inner[path[-1]]).groups()  # type: ignore[union-attr]
    inner[path[-1]] = f"{2 * float(number):g}{unit}"
    return changed


EXAMPLES = [(name, path) for name in ("eye", "mic") for path in numbers(of_page(name))]
ASLEEP = {("mic", ("adc", "rate"))}  # a sample is converted in its own period, however fast


def figures(name: str, tree: Tree) -> Any:
    """What a run records, and what must lie in memory; or what refuses it."""
    tasks = {f"take-{mode}": taking(mode) for mode in tree["modes"]}
    taken = case({**tree, "fifo": "32 KiB"}, tasks, 600 * MS)
    try:
        recording = taken.run()
        taken.platform["dies"]["below"]["blocks"]["sram"]["capacity"] = "1 B"
        taken.system()
    except (ElaborationError, SpecError) as error:
        if "1 B" not in str(error):
            return str(error)
        return recording.spans, recording.legs, recording.states, recording.boot_bytes, str(error)
    raise AssertionError("frames fit 1 B")


@pytest.mark.parametrize(("name", "path"), EXAMPLES)
def test_doubling_a_number_of_a_sensor_changes_the_run(name: str, path: tuple[Any, ...]) -> None:
    assert len(EXAMPLES) > 30
    tree = of_page(name)
    changed = figures(name, doubled(tree, path)) != figures(name, tree)
    assert changed != ((name, path) in ASLEEP)


# ------------------------------------------------------------ sampled in time


def test_a_packet_is_sent_with_its_last_sample_and_the_last_one_starts_the_job() -> None:
    recording = listen({"hear": taking()})
    # Samples are there at ⌊n / 30 kHz⌋: the second at 66 666 666 ps, the third at 100 us, after the window.
    assert landed_ps(recording) == [66_666_666 + PACKET_PS]
    (job,) = jobs_of(listen({"hear": taking()}, 104 * US), "hear")[:1]
    assert job.start_ps == 100 * US + REST_PS
    buckets = blame(job, 104 * US).buckets
    assert buckets == {"sensing": 100 * US, "link-transfer": REST_PS, "compute": 104 * US - job.start_ps}


def test_no_sample_drifts_where_the_period_is_no_whole_picosecond() -> None:
    keys = {"sample_rate": "44.1 kHz", "frame_rate": "14.7 kHz", "packet": 3}
    recording = listen({"hear": taking(backlog=9)}, 3 * MS, **keys)
    sent = sorted(span.end_ps for span in recording.spans if span.what == "conversion")
    starts = [job.release_ps for job in jobs_of(recording, "hear")]
    assert starts == [k * 10**12 // 14_700 for k in range(len(starts))]
    frame_ps = 3 * 10**12 // 44_100
    assert sent == [start + frame_ps for start in starts]
    assert all(0 <= later - end <= 1 for end, later in zip(sent, starts[1:], strict=False))


def test_a_frame_longer_than_its_period_brings_only_what_is_new() -> None:
    long = {"full": {"samples": 9}}
    tasks = {"hear": taking()}
    recording, plain = listen(tasks, 300 * US, modes=long), listen(tasks, 300 * US)
    assert recording.spans == plain.spans
    assert recording.legs == plain.legs
    spec = spec_of({**mic(), "bits": "12", "channels": "2", "packet": "2", "adc": {"rate": "1 MHz", "converters": "2"},
                    "modes": {"full": {"samples": "9"}}})  # fmt: skip
    assert spec.frame_bytes("full") == 27
    assert spec.stored_bytes("full", 2) == 18 + 2 * (6 + 3)


def test_frames_and_what_they_share_must_fit_the_memory() -> None:
    modes = {"full": {"samples": 9}}
    sensor = case(mic(modes=modes), {"hear": taking()}, US)
    sensor.platform["dies"]["below"]["blocks"]["sram"]["capacity"] = "36 B"
    sensor.system()
    sensor.platform["dies"]["below"]["blocks"]["sram"]["capacity"] = "35 B"
    with pytest.raises(ElaborationError, match="1 B too many"):
        sensor.system()


def test_a_network_reads_the_whole_frame_and_no_less_will_do() -> None:
    network = {"name": "net", "input": [9, 1, 2], "activation_bits": 12, "layers": []}
    network["layers"] = [{"name": "fc", "op": "linear", "channels": 2}]
    cluster = {"kind": "riscv-cluster", "cores": 1, "clock": "100 MHz", "l1": "4 KiB", "mac_per_cycle": {"conv": 1}}
    cluster["mac_per_cycle"]["linear"] = 1  # type: ignore[index]
    tasks = {"hear": {**taking(), "stages": [], "network": "net", "map": {"default": "cluster"}}}

    def reading(samples: int) -> Recording:
        system = case(mic(modes={"full": {"samples": samples}}), tasks, 900 * US)
        system.platform["dies"]["below"]["blocks"]["cluster"] = {**cluster, "home": "sram"}
        system.networks["net"] = network
        return system.run()

    assert any(job.status == "finished" for job in reading(9).jobs)
    with pytest.raises(SpecError, match=re.escape("mode 'full' gives 24 B a frame (8x1x2), net reads 27 B (9x1x2)")):
        reading(8)


def test_a_slower_frame_clock_gives_longer_frames_of_its_own() -> None:
    recording = case(mic(), {"hear": taking()}, 400 * US, frame_rates={"sensor": "5 kHz"}).run()
    assert [job.release_ps for job in jobs_of(recording, "hear")] == [0, 200 * US]
    assert sent_bits(recording) == 2 * 6 * 2 * 12  # the second frame is on its way when the window ends
    assert spent(recording, "conversion") == [6 * 2 * 3 * 10**6] * 2


def test_frames_that_overlap_are_all_taken_or_their_clock_is_slower() -> None:
    tasks = {"hear": taking(every=2)}
    with pytest.raises(SpecError, match="a frame of 6 samples lasts longer than the frame period of 3"):
        listen(tasks, modes={"full": {"samples": 6}})
    slower = case(mic(modes={"full": {"samples": 6}}), tasks, 401 * US, frame_rates={"sensor": "5 kHz"}).run()
    assert [job.release_ps for job in jobs_of(slower, "hear")] == [0, 400 * US]


def test_modes_are_read_side_by_side() -> None:
    modes = {"all": {}, "one": {"samples": 1}}
    states = {"active": "1 uW"}
    recording = listen({"a": taking("all"), "b": taking("one")}, 99 * US, modes=modes, states=states)
    read = {span.layer: (span.start_ps, span.end_ps) for span in recording.spans if span.what == "conversion"}
    assert read == {"one": (0, 33_333_333), "all": (0, 100 * US)}
    assert [(state.start_ps, state.end_ps) for state in recording.states] == [(0, 99 * US)]
    assert landed_ps(recording) == [33_333_333 + REST_PS, 66_666_666 + PACKET_PS]


def test_packets_of_two_modes_that_end_together_share_the_fifo_in_name_order() -> None:
    modes = {"a": {"samples": 2}, "b": {"samples": 2}}
    tasks = {"first": taking("a"), "second": taking("b")}
    recording = listen(tasks, 90 * US, modes=modes, fifo="12 B")
    assert [job.task for job in sorted(recording.jobs, key=lambda job: job.finish_ps)] == ["first", "second"]
    assert landed_ps(recording) == [66_666_666 + PACKET_PS, 66_666_666 + 2 * PACKET_PS]
    lost = listen(tasks, 90 * US, modes=modes, fifo="11 B")
    assert {job.task: job.status for job in lost.jobs}["second"] == "input-lost"


def test_a_microphone_rests_between_short_frames_and_settles_before_the_next() -> None:
    states = {"active": "5 uW", "idle": "1 uW"}
    front_end = {"bandwidth": "8 kHz", "noise": "5 uV", "supply": "1 V", "nef": 3, "channels": 2}
    modes = {"full": {"samples": 1}}
    recording = listen(
        {"hear": taking(every=2)}, 300 * US, modes=modes, settle="20 us", states=states, front_end=front_end
    )
    found = [(state.what, state.start_ps, state.end_ps) for state in recording.states]
    sampled_ps = 33_333_333
    assert found == [
        ("active", 0, sampled_ps), ("idle", sampled_ps, 180 * US), ("active", 180 * US, 200 * US + sampled_ps),
        ("idle", 200 * US + sampled_ps, 300 * US),
    ]  # fmt: skip
    # By hand: (3 / 5 uV)² · π · 25.85 mV · 4kT · 8 kHz / 2 = 1.938 uA at 1 V, twice.
    assert recording.states[0].power_nw == 5000 + 3876


def test_a_settling_longer_than_a_frame_period_is_refused() -> None:
    with pytest.raises(ElaborationError, match=re.escape("top.sensor: settle of 101 us is longer than the frame")):
        listen({"hear": taking()}, settle="101 us")


def test_a_filter_bank_draws_its_power_while_it_is_read_and_converts_its_bands_only() -> None:
    modes = {"full": {"bits": 8, "filter_bank": {"bands": 5, "decimation": 3, "power": "2 uW"}}}
    recording = listen({"hear": taking()}, 200 * US, modes=modes)
    assert spent(recording, "analog") == [2000 * 100 * 10**3] * 2  # 2000 nW · 100 us
    assert spent(recording, "conversion") == [5 * 2 * 3 * 10**6] * 2
    assert sent_bits(recording) == 2 * 5 * 2 * 8  # the second frame is on its way when the window ends


# ------------------------------------------------------------ arithmetic in an image sensor


def eye(**keys: object) -> Tree:
    """5 × 4 pixels; a row takes 1 us and three or fewer conversions at a time 1 us; kernels of 2 × 2, two of them."""
    convolution = {"kernel": [2, 2], "stride": [1, 3], "channels": 2, "energy": "0.5 pJ", "settle": "100 ns"}
    return {
        "kind": "mixed-signal", "pixels": [5, 4], "frame_rate": "1 kHz", "bits": 8, "energy": "10 pJ/pixel",
        "adc": {"converters": 3, "rate": "1 MHz", "energy": "3 pJ"}, "row_settle": "1 us",
        "modes": {"full": {"bits": 4, "convolution": convolution | keys}},
    }  # fmt: skip


def test_a_row_of_results_waits_for_the_rows_of_samples_that_are_new() -> None:
    recording = case(eye(), {"see": taking()}, 100 * US).run()
    # 2 × 2 results a row, 4 conversions on 3 converters: 2 us, and twice 100 ns; 2 rows of samples first, then 1 each.
    ends_ps = [4_200_000, 7_400_000, 10_600_000]
    row_ps = 2_100_000 + 201_000  # 16 bits
    assert landed_ps(recording) == [end_ps + row_ps for end_ps in ends_ps]
    assert spent(recording, "sensing") == [4 * 5 * 10 * 10**6]  # every sample once
    assert spent(recording, "conversion") == [3 * 4 * 3 * 10**6]
    assert spent(recording, "analog") == [3 * 4 * 4 * 500_000]


def test_rows_that_no_kernel_sees_are_not_read() -> None:
    recording = case(eye(stride=[3, 3], kernel=[1, 2]), {"see": taking()}, 100 * US).run()
    assert spent(recording, "sensing") == [2 * 5 * 10 * 10**6]


@pytest.mark.parametrize(("levels", "n_bytes"), [(256, 8), (3, 2), (2, 1), (1, 0)])
def test_weights_in_the_sensor_are_there_before_the_run(levels: int, n_bytes: int) -> None:
    sensor = case(eye(weight_levels=levels), {"see": taking(), "look": taking()}, US)
    assert sensor.run().boot_bytes == n_bytes  # 2 kernels of 4 weights, once for both tasks


def test_a_global_shutter_exposes_and_reads_one_after_the_other() -> None:
    rolling = {**eye(), "exposure": "995 us"}
    assert case(rolling, {"see": taking()}, 100 * US).run().jobs
    with pytest.raises(ElaborationError, match=re.escape("exposure and readout of 1.01 ms is longer than the frame")):
        case({**rolling, "shutter": "global"}, {"see": taking()}, 100 * US).run()
    fits = {**rolling, "exposure": "989.4 us"}
    ran = [case({**fits, "shutter": shutter}, {"see": taking()}, 100 * US).run() for shutter in ("global", "rolling")]
    assert ran[0].jobs == ran[1].jobs


# ------------------------------------------------------------ physics


def test_the_amplifier_of_the_page_draws_two_microwatts() -> None:
    arguments = (Fraction(3), Fraction("5e-6"), Fraction(8000), Fraction(1), Fraction(300))
    assert float(amplifier_nw(*arguments)) == pytest.approx(1938, rel=1e-3)


@pytest.mark.parametrize(
    ("enob", "aj"), [(0, "267000.145"), (10, "419043.52"), (12, "2699696.32"), (Fraction(1, 2), "267000.29")]
)
def test_a_conversion_at_the_envelope_is_exact_for_whole_and_half_bits(enob: int | Fraction, aj: str) -> None:
    assert envelope_aj(Fraction(enob), Fraction(1)) == Fraction(aj)
    assert envelope_aj(Fraction(enob), Fraction(7, 2)) == Fraction(aj) * Fraction(7, 2)


def test_a_third_of_a_bit_is_the_cube_root_to_28_digits() -> None:
    part = (envelope_aj(Fraction(1, 3), Fraction(1)) - 267_000) / Fraction(145, 1000)
    assert abs(part**3 - 4) < Fraction(1, 10**26)
