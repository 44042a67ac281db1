"""Power gates, entry times and flits, every picosecond and attojoule worked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from reference.systems import Case, Tree
from reference.tiny_chip import NS, lone_job, platform

from tlm3d.analysis.blame import blame
from tlm3d.analysis.result import Result
from tlm3d.record.recording import JobEnd, Recording

US = 10**6  # ps
NJ = 10**9  # aJ

# ------------------------------------------------------------------ a block

GATED: Tree = {"after": "5 us", "power": "1 uW", "wake_time": "3 us", "wake_energy": "7 nJ"}


def beating(gated: Tree | None, deadline: str = "50 us", **tasks: Tree) -> Case:
    """A stage of 10 us every 100 us on a processor that is gated after 5 us and wakes in 3."""
    states: Tree = {"active": "1 mW", "idle": "100 uW", **({"gated": gated} if gated else {})}
    core = {"kind": "processor", "leakage": "50 uW", "states": states}
    beat = {"stages": [{"time": "10 us", "on": "core"}], "period": "100 us", "deadline": deadline}
    workload = {"name": "w", "tasks": {"beat": beat, **tasks}}
    chip = {"name": "p", "dies": {"d": {"tier": 0, "blocks": {"core": core}}}}
    return Case(chip, workload, horizon_ps=200 * US)


def segments(job: JobEnd) -> list[tuple[str, int, int, str]]:
    return [(s.bucket, s.start_ps // NS, s.end_ps // NS, s.holder) for s in job.segments]


def energy_aj(result: Result) -> dict[str, int]:
    found: dict[str, int] = {}
    for account in result.accounts:
        found[account.what] = found.get(account.what, 0) + account.energy_aj
    return found


def states(recording: Recording, component: str, *whats: str) -> list[tuple[str, int, int]]:
    of_component = [s for s in recording.states if s.component.name == component and s.what in whats]
    return [(s.what, s.start_ps // NS, s.end_ps // NS) for s in sorted(of_component, key=lambda s: s.start_ps)]


def test_a_gated_block_wakes_when_work_is_posted_and_the_wait_is_blamed_on_it() -> None:
    recording = beating(GATED).run()
    assert [segments(job) for job in recording.jobs] == [
        [("wake-up", start, start + 3_000, "-"), ("compute", start + 3_000, start + 13_000, "-")]
        for start in (0, 100_000)
    ]
    assert states(recording, "core", "active", "idle", "gated") == [
        ("idle", 0, 3_000), ("active", 3_000, 13_000), ("idle", 13_000, 18_000), ("gated", 18_000, 100_000),
        ("idle", 100_000, 103_000), ("active", 103_000, 113_000), ("idle", 113_000, 118_000),
        ("gated", 118_000, 200_000),
    ]  # fmt: skip


def test_it_draws_nothing_but_its_gated_power_and_pays_for_each_wake_up() -> None:
    result = beating(GATED).judge()
    assert energy_aj(result) == {
        "active": 2 * 10 * NJ,  # 10 us at 1 mW
        "idle": 2 * 8 * NJ // 10,  # 3 us waking and 5 us waiting at 100 uW
        "leakage": 2 * 18 * NJ // 20,  # 18 us awake at 50 uW
        "gated": 2 * 82 * NJ // 1000,  # 82 us at 1 uW
        "wake-up": 2 * 7 * NJ,
    }
    never = energy_aj(beating(None).judge())
    assert never == {"active": 2 * 10 * NJ, "idle": 2 * 9 * NJ, "leakage": 10 * NJ}


@pytest.mark.parametrize(("deadline", "missed"), [("13 us", 0), ("12.999999 us", 2)])
def test_the_wake_up_counts_against_the_deadline_to_the_picosecond(deadline: str, missed: int) -> None:
    assert beating(GATED, deadline).judge().tasks["beat"].missed == missed


@pytest.mark.parametrize(("after", "response_us"), [("87 us", 10), ("86.999999 us", 13)])
def test_work_that_comes_at_the_instant_of_falling_asleep_finds_it_awake(after: str, response_us: int) -> None:
    # Awake from 3, computing until 13, idle for 87 until the second job at 100.
    second = beating({**GATED, "after": after}).run().jobs[1]
    assert second.finish_ps - second.release_ps == response_us * US


def test_a_job_that_comes_while_the_block_wakes_waits_for_the_rest_of_it() -> None:
    urgent = {"stages": [{"time": "2 us", "on": "core"}], "period": "1 ms", "offset": "1 us", "deadline": "9 us"}
    by_task = {job.task: segments(job) for job in reversed(beating(GATED, urgent=urgent).run().jobs)}
    assert by_task["urgent"] == [("wake-up", 1_000, 3_000, "-"), ("compute", 3_000, 5_000, "-")]
    assert by_task["beat"] == [
        ("wake-up", 0, 3_000, "-"), ("preempt", 3_000, 5_000, "urgent#0"), ("compute", 5_000, 15_000, "-")
    ]  # fmt: skip


def test_a_job_cut_off_by_the_horizon_while_the_block_wakes_waits_for_that() -> None:
    case = beating(GATED)
    (job,) = Case(case.platform, case.workload, horizon_ps=2 * US).run().jobs
    assert segments(job) == [("wake-up", 0, 2_000, "-")]


def test_the_policy_reckons_with_the_wake_up_when_it_chooses_a_block() -> None:
    # Two arrays alike; x sleeps, so y is 1 us sooner although its name comes later.
    array: Tree = {"kind": "cnn-accelerator", "array": [10, 10], "clock": "1 GHz", "local": "4 KiB", "home": "m"}
    sleepy = {**array, "states": {"gated": {"wake_time": "1 us"}}}
    memory = {"kind": "memory", "capacity": "64 KiB", "rate": "80 Gbit/s"}
    chip = {"name": "p", "dies": {"d": {"tier": 0, "blocks": {"x": sleepy, "y": array, "m": memory}}}}
    network = {"name": "net", "input": [4, 4, 4], "layers": [{"name": "c", "op": "conv", "channels": 4}]}
    task = {"network": "net", "period": "10 us", "map": {"default": ["x", "y"]}}
    case = Case(chip, {"name": "w", "tasks": {"t": task}}, {"net": network}, horizon_ps=10 * US)
    assert {span.component.name for span in case.run().spans if span.what == "compute"} == {"y"}


def test_a_tile_waits_for_its_block_and_its_link_to_wake() -> None:
    chip = platform("1 GHz", 4096, "1 KiB")
    chip["dies"]["bottom"]["blocks"]["array"]["states"] = {"gated": {"wake_time": "40 ns"}}
    chip["links"]["vias"]["gated"] = {"wake_time": "50 ns", "after": "1 us", "power": "3 uW"}
    recording = lone_job(chip, [1, 10, 10], [10], 900 * NS).run()
    # 40 until the array is awake; 100 B: 10 + 1 in the memory, 50 waking the vias, 100 + 2 on them; 10 computing;
    # out: the other direction sleeps too: 50, 100 + 2, then 10 + 1.
    (job,) = recording.jobs
    assert segments(job) == [
        ("wake-up", 0, 40, "-"), ("wake-up", 40, 90, "-"), ("link-transfer", 90, 203, "-"), ("compute", 203, 213, "-"),
        ("wake-up", 213, 263, "-"), ("link-transfer", 263, 376, "-"),
    ]  # fmt: skip
    down = [state for state in recording.states if state.component == ("top", "vias")]
    # Asleep until the first burst comes at 40 + 11; its last bit leaves at 51 + 50 + 100, and a microsecond later:
    assert [(s.what, s.start_ps // NS, s.end_ps // NS) for s in down] == [("gated", 0, 51), ("gated", 1_201, 10_000)]


def test_a_gated_memory_wakes_on_the_first_burst_and_keeps_its_leakage_down() -> None:
    chip = platform("1 GHz", 4096, "1 KiB")
    sram: Tree = chip["dies"]["top"]["blocks"]["sram"]
    sram |= {"leakage": "1 mW", "states": {"gated": {"wake_time": "7 ns", "after": "300 ns", "power": "10 uW"}}}
    result = lone_job(chip, [1, 10, 10], [10], 900 * NS).judge()
    (job,) = result.recording.jobs
    assert blame(job, 10_000 * NS).buckets == {"compute": 10 * NS, "link-transfer": 226 * NS, "wake-up": 7 * NS}
    # Awake from 0; the load leaves at 17; the store comes at 17 + 1 + 102 + 10 + 102 = 232, within 300 ns, leaves at
    # 242. So it sleeps from 542 on.
    assert energy_aj(result) == {"leakage": 542 * 10**6, "gated": 9_458 * 10**4}


# ------------------------------------------------------------------ a camera


def watching(gated: Tree, horizon_us: int = 300) -> Recording:
    camera: Tree = {
        "kind": "mixed-signal", "pixels": [4, 2], "frame_rate": "10 kHz", "bits": 8, "home": "m", "exposure": "20 us",
        "adc": {"converters": 4, "rate": "1 MHz"}, "states": {"active": "5 mW", "idle": "1 mW", "gated": gated},
    }  # fmt: skip
    memory = {"kind": "memory", "capacity": "1 KiB", "rate": "80 Gbit/s"}
    core = {"kind": "processor"}
    chip = {"name": "p", "dies": {"d": {"tier": 0, "blocks": {"camera": camera, "m": memory, "core": core}}}}
    see = {"input": {"camera": "camera", "every": 2}, "stages": [{"time": "1 us", "on": "core"}]}
    return Case(chip, {"name": "w", "tasks": {"see": see}}, horizon_ps=horizon_us * US).run()


def test_a_camera_knows_its_clock_and_wakes_before_its_exposure() -> None:
    recording = watching({"after": "8 us", "wake_time": "10 us", "wake_energy": "1 nJ", "power": "1 uW"})
    # Rows of 1 us: read over 0-2 and 200-202; exposed from 180; the frame at 400 from 380, beyond the window.
    assert states(recording, "camera", "active", "idle", "gated") == [
        ("active", 0, 2_000), ("idle", 2_000, 10_000), ("gated", 10_000, 170_000), ("idle", 170_000, 180_000),
        ("active", 180_000, 202_000), ("idle", 202_000, 210_000), ("gated", 210_000, 300_000),
    ]  # fmt: skip
    assert {job.release_ps for job in recording.jobs} == {0, 200 * US}
    woken = [span.start_ps // US for span in recording.spans if span.what == "wake-up"]
    assert [start for start in woken if start < 300] == [170]


def test_a_camera_stays_idle_between_frames_that_leave_no_time_to_wake() -> None:
    # From 2 to 180 there are 178 us.
    assert states(watching({"after": "8 us", "wake_time": "170 us"}), "camera", "gated") == []
    short = watching({"after": "8 us", "wake_time": "170 us", "power": "1 uW"}, horizon_us=150)
    assert states(short, "camera", "gated") == []
    fits = watching({"after": "8 us", "wake_time": "169.999 us", "power": "1 uW"})
    assert states(fits, "camera", "gated")[0] == ("gated", 10_000, 10_001)


# ------------------------------------------------------------------ links that cost more than their bits


def over(link: Tree, n_bytes: int = 100) -> Recording:
    """Two frames' worth of rows from a sensor over ``link`` into a memory that takes no time to speak of."""
    camera: Tree = {
        "kind": "mixed-signal", "pixels": [n_bytes, 1], "frame_rate": "1 kHz", "bits": 8, "home": "m",
        "adc": {"converters": 1000, "rate": "1 MHz"},
    }  # fmt: skip
    memory = {"kind": "memory", "capacity": "64 KiB", "rate": "8000 Tbit/s", "latency": "1 ps", "burst": "1 KiB"}
    blocks = {"m": memory, "core": {"kind": "processor"}}
    dies = {"pixel": {"tier": 1, "blocks": {"camera": camera}}, "logic": {"tier": 0, "blocks": blocks}}
    see = {"input": {"camera": "camera"}, "stages": [{"time": "1 us", "on": "core"}]}
    chip = {"name": "p", "dies": dies, "links": {"link": {"from": "pixel", "to": "logic", **link}}}
    return Case(chip, {"name": "w", "tasks": {"see": see}}, horizon_ps=1000 * US).run()


def leg(recording: Recording) -> tuple[int, int, int, int]:
    """Start to end on the wire, wire time, bits and energy of the only transfer over the link."""
    (found,) = [leg for leg in recording.legs if leg.channel == "link:pixel>logic"]
    return found.end_ps - found.start_ps, found.busy_ps, found.bits, found.energy_aj


SERIAL: Tree = {"kind": "d2d-serial", "rate": "8 Gbit/s", "overhead": "4 B", "burst": "1 KiB", "energy": "0.5 pJ/bit"}


def test_a_serial_link_sends_whole_flits() -> None:
    # 100 B are two flits of 64 B and 4 B each: 136 B, a nanosecond a byte.
    assert leg(over(SERIAL)) == (136 * NS, 136 * NS, 1088, 1088 * 500_000)
    assert leg(over(SERIAL, 128)) == (136 * NS, 136 * NS, 1088, 1088 * 500_000)
    assert leg(over(SERIAL, 129)) == (204 * NS, 204 * NS, 1632, 1632 * 500_000)
    assert leg(over({**SERIAL, "flit": "50 B"}))[2] == 2 * 54 * 8


def test_the_pll_of_a_serial_link_draws_power_while_it_is_awake() -> None:
    gated = {"after": "10 us", "power": "2 uW", "wake_time": "20 ns", "wake_energy": "5 pJ"}
    recording = over({**SERIAL, "pll": "3 mW", "idle": "1 mW", "gated": gated})
    # The row is converted at 1 us, the link awake at 1.02, the last bit gone at 1.156 us.
    assert states(recording, "link", "pll", "idle", "gated") == [
        ("gated", 0, 1_000), ("idle", 1_000, 1_020), ("pll", 1_000, 11_156), ("idle", 1_156, 11_156),
        ("gated", 11_156, 1_000_000),
    ]  # fmt: skip
    (woken,) = [span for span in recording.spans if span.what == "wake-up"]
    assert (woken.start_ps, woken.end_ps, woken.energy_aj) == (1_000 * NS, 1_020 * NS, 5 * 10**6)


MIPI: Tree = {
    "kind": "mipi", "lanes": 2, "rate": "500 Mbit/s", "overhead": "6 B", "burst": "50 B", "energy": "10 pJ/bit",
    "entry": "400 ns", "entry_energy": "3 pJ", "high_speed": "4 mW", "idle": "5 uW",
}  # fmt: skip


def test_mipi_enters_high_speed_for_every_burst() -> None:
    # Two bursts of 50 B and 6 B at 1 Gbit/s: 448 ns each after 400 ns of entry.
    recording = over(MIPI)
    assert leg(recording) == (2 * 848 * NS, 2 * 848 * NS, 896, 896 * 10**7 + 2 * 3 * 10**6)
    assert states(recording, "link", "active", "idle") == [
        ("idle", 0, 1_000), ("active", 1_000, 2_696), ("idle", 2_696, 1_000_000)
    ]  # fmt: skip


def test_mipi_in_low_power_uses_one_slow_lane_and_enters_nothing() -> None:
    # 896 bit at 10 Mbit/s: 89.6 us.
    recording = over({**MIPI, "mode": "low-power", "low_power_energy": "1 pJ/bit"})
    assert leg(recording) == (89_600 * NS, 89_600 * NS, 896, 896 * 10**6)
    assert states(recording, "link", "active") == []
    assert leg(over({**MIPI, "mode": "low-power", "low_power_rate": "5 Mbit/s"}))[0] == 179_200 * NS


# ------------------------------------------------------------------ no number is idle

_EVERY_KEY: dict[str, Any] = {
    "serial": {
        **SERIAL, "burst": "50 B", "flit": "64 B", "pll": "3 mW",
        "gated": {"after": "10 us", "power": "2 uW", "wake_time": "20 ns", "wake_energy": "5 pJ"},
    },
    "mipi": MIPI,
    "mipi low-power": {**MIPI, "mode": "low-power", "low_power_energy": "1 pJ/bit", "low_power_rate": "5 Mbit/s"},
}  # fmt: skip
_IN_THE_OTHER_MODE = {"rate", "entry", "entry_energy", "high_speed", "energy", "lanes"}


def doubled(tree: Tree, path: tuple[str, ...]) -> Tree:
    key, *rest = path
    if rest:
        return {**tree, key: doubled(tree[key], tuple(rest))}
    number, _, unit = str(tree[key]).partition(" ")
    return {**tree, key: f"{float(number) * 2:g} {unit}".strip()}


@pytest.mark.parametrize(
    ("link", "path"),
    [
        (name, path)
        for name, link in _EVERY_KEY.items()
        for key, value in link.items()
        for path in ([(key, inner) for inner in value] if isinstance(value, dict) else [(key,)])
        if key not in ("kind", "mode") and not (name == "mipi low-power" and key in _IN_THE_OTHER_MODE)
    ],
)
def test_doubling_a_number_of_a_link_changes_a_fact(link: str, path: tuple[str, ...]) -> None:
    before, after = over(_EVERY_KEY[link]), over(doubled(_EVERY_KEY[link], path))
    assert (before.legs, before.states, before.spans) != (after.legs, after.states, after.spans)
