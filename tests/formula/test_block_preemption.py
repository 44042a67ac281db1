"""Preemption on a compute block, by hand: 47 ns for 40 B and 113 ns for 100 B either way, 400 ns a tile.

A layer of three tiles under the tiny chip's memory. Alone: loads at 0-160, 160-207 and, in the buffer of the first,
560-607; computations at 160-560-960-1360; done at 1360 + 47 = 1407 ns. A stage of 200 ns comes at 300 ns.
"""

from __future__ import annotations

from reference.systems import Case, Tree
from reference.tiny_chip import NS, platform, pointwise

from tlm3d.analysis.judge import judge
from tlm3d.record.recording import JobEnd, Recording


def stage(cycles: int, at_ns: int, priority: int) -> Tree:
    work = {"cycles": str(cycles), "on": "core"}
    return {"stages": [work], "period": "10 us", "offset": f"{at_ns} ns", "priority": str(priority)}


def shared(stages: dict[str, Tree], **options: str) -> Case:
    """The layer, least urgent, beside ``stages`` on a cluster of one core at 10 MHz, which does 100 MAC a cycle."""
    chip = platform("1 GHz", 4096, None)
    core = {
        "kind": "riscv-cluster", "cores": "1", "clock": "10 MHz", "l1": "360 B", "home": "top.sram",
        "mac_per_cycle": {"conv": "100"}, "energy": {"cycle": "1 pJ/cycle"}, **options,
    }  # fmt: skip
    chip["dies"]["bottom"]["blocks"] = {"core": core}
    network = {"name": "net", "input": ["1", "10", "10"], "layers": [pointwise("conv", 12)]}
    layer = {"network": "net", "period": "10 us", "map": {"default": "core"}, "priority": "9"}
    workload = {"name": "shared", "tasks": {"layer": layer, **stages}}
    return Case(chip, workload, {"net": network}, "fixed-priority", 10_000 * NS)


def computing(recording: Recording) -> list[tuple[str, int, int]]:
    """What the core did, in ns: a tile or task, or what it overcame."""
    names = {span: f"t{span.tile}" if span.task == "layer" else span.task for span in recording.spans}
    spans = sorted((s for s in recording.spans if s.what in ("compute", "overhead")), key=lambda s: s.start_ps)
    return [(names[s] if s.what == "compute" else f"to {names[s]}", s.start_ps // NS, s.end_ps // NS) for s in spans]


def job(recording: Recording, task: str) -> JobEnd:
    (found,) = (job for job in recording.jobs if job.task == task)
    return found


def chain(found: JobEnd) -> list[tuple[str, int, int, str]]:
    return [(s.bucket, s.start_ps // NS, s.end_ps // NS, s.holder) for s in found.segments]


def test_at_a_tile_border_the_stage_goes_first_and_the_layer_gets_its_state_back() -> None:
    recording = shared({"stage": stage(2, 300, 1)}, context_switch="30 ns").run()
    assert computing(recording) == [
        ("t0", 160, 560), ("t1", 560, 960), ("stage", 960, 1160), ("to t2", 1160, 1190), ("t2", 1190, 1590),
    ]  # fmt: skip
    assert chain(job(recording, "stage")) == [
        ("np-block", 300, 560, "layer#0"), ("np-block", 560, 960, "layer#0"), ("compute", 960, 1160, "-"),
    ]  # fmt: skip
    layer = job(recording, "layer")
    assert chain(layer)[-4:] == [
        ("preempt", 1007, 1160, "stage#0"), ("overhead", 1160, 1190, "-"), ("compute", 1190, 1590, "-"),
        ("link-transfer", 1590, 1637, "-"),
    ]  # fmt: skip


def test_the_switch_costs_the_energy_of_its_cycles() -> None:
    accounts = judge(shared({"stage": stage(2, 300, 1)}, context_switch="30 ns").run()).accounts
    spent = {(account.what, account.task): account.energy_aj for account in accounts}
    assert spent["overhead", "layer"] == 300_000  # 30 ns of 10 MHz are 0.3 cycles of 1 pJ
    assert spent["compute", "layer"] == 12 * 10**6
    assert ("overhead", "stage") not in spent


def test_a_layer_that_is_not_interrupted_switches_nothing() -> None:
    alone = computing(shared({}, context_switch="30 ns").run())
    assert alone == [("t0", 160, 560), ("t1", 560, 960), ("t2", 960, 1360)]


def test_without_preemption_the_layer_commits_all_its_tiles_first() -> None:
    recording = shared({"stage": stage(2, 300, 1)}, preemption="none", context_switch="30 ns").run()
    assert computing(recording) == [("t0", 160, 560), ("t1", 560, 960), ("t2", 960, 1360), ("stage", 1360, 1560)]
    assert job(recording, "layer").finish_ps == 1407 * NS
    # It is committed when a buffer is free, at 960; while tile 2 loads it is the port that is taken.
    assert chain(job(recording, "stage")) == [
        ("np-block", 300, 560, "layer#0"), ("link-queue", 560, 607, "layer#0"), ("np-block", 607, 960, "layer#0"),
        ("np-block", 960, 1360, "layer#0"), ("compute", 1360, 1560, "-"),
    ]  # fmt: skip


def test_with_full_preemption_the_stage_suspends_the_tile_that_computes() -> None:
    recording = shared({"stage": stage(2, 300, 1)}, preemption="full", context_switch="30 ns").run()
    # 140 ns of tile 0 are done at 300, 260 are left; the third tile loads when the first has computed.
    assert computing(recording) == [
        ("t0", 160, 300), ("stage", 300, 500), ("to t0", 500, 530), ("t0", 530, 790), ("t1", 790, 1190),
        ("t2", 1190, 1590),
    ]  # fmt: skip
    assert chain(job(recording, "stage")) == [("compute", 300, 500, "-")]
    layer = job(recording, "layer")
    assert layer.finish_ps == 1637 * NS
    assert chain(layer) == [
        ("link-transfer", 0, 47, "-"), ("link-transfer", 47, 160, "-"),
        ("compute", 160, 300, "-"), ("preempt", 300, 500, "stage#0"), ("overhead", 500, 530, "-"),
        ("compute", 530, 790, "-"), ("compute", 790, 1190, "-"), ("compute", 1190, 1590, "-"),
        ("link-transfer", 1590, 1637, "-"),
    ]  # fmt: skip


def test_a_less_urgent_stage_lets_the_layer_go_on_with_full_preemption() -> None:
    # It starts when the unit is free and nothing of the layer, more urgent, waits or is under way: at 1360.
    recording = shared({"stage": stage(2, 300, 10)}, preemption="full").run()
    assert computing(recording)[-1] == ("stage", 1360, 1560)
    assert {(bucket, holder) for bucket, _, _, holder in chain(job(recording, "stage"))} == {
        ("preempt", "layer#0"), ("compute", "-"),
    }  # fmt: skip
    assert job(recording, "layer").finish_ps == 1407 * NS


def test_a_less_urgent_stage_waits_for_a_layer_that_loads_though_the_unit_is_free() -> None:
    recording = shared({"stage": stage(2, 10, 10)}, preemption="full").run()
    assert chain(job(recording, "stage"))[0] == ("link-queue", 10, 47, "layer#0")


def test_stages_suspend_one_another_and_go_on_in_the_order_of_urgency() -> None:
    stages = {"first": stage(2, 300, 2), "second": stage(1, 400, 1)}
    recording = shared(stages, preemption="full", context_switch="30 ns").run()
    assert computing(recording)[:7] == [
        ("t0", 160, 300), ("first", 300, 400), ("second", 400, 500), ("to first", 500, 530), ("first", 530, 630),
        ("to t0", 630, 660), ("t0", 660, 920),
    ]  # fmt: skip


def test_a_switch_that_is_suspended_is_paid_anew() -> None:
    stages = {"first": stage(2, 300, 2), "second": stage(1, 515, 1)}
    recording = shared(stages, preemption="full", context_switch="30 ns").run()
    assert computing(recording)[:6] == [
        ("t0", 160, 300), ("first", 300, 500), ("to t0", 500, 515), ("second", 515, 615), ("to t0", 615, 645),
        ("t0", 645, 905),
    ]  # fmt: skip


def test_a_stage_that_comes_when_another_ends_does_not_make_the_tile_between_pay_twice() -> None:
    stages = {"first": stage(2, 300, 2), "second": stage(1, 500, 3)}
    recording = shared(stages, preemption="full", context_switch="30 ns").run()
    assert computing(recording)[:5] == [
        ("t0", 160, 300), ("first", 300, 500), ("second", 500, 600), ("to t0", 600, 630), ("t0", 630, 890),
    ]  # fmt: skip


def test_a_job_aborted_while_its_tile_is_suspended_has_waited_for_who_suspended_it() -> None:
    case = shared({"stage": stage(2, 300, 1)}, preemption="full")
    case.workload["tasks"]["layer"] |= {"deadline": "400 ns", "on_miss": "abort"}
    recording = case.run()
    assert chain(job(recording, "layer"))[-2:] == [("compute", 160, 300, "-"), ("preempt", 300, 400, "stage#0")]
    # What is committed is finished all the same: tiles 0 and 1.
    assert computing(recording)[-2:] == [("t0", 500, 760), ("t1", 760, 1160)]


def test_an_interrupted_layer_gets_its_state_back_though_its_own_job_was_the_last_to_compute() -> None:
    case = shared({"stage": stage(2, 500, 1)}, context_switch="30 ns")
    array = {"kind": "cnn-accelerator", "array": ["10", "10"], "clock": "1 GHz", "local": "4096 B", "home": "top.sram"}
    case.platform["dies"]["bottom"]["blocks"]["array"] = array
    # ``left`` comes before ``right`` but has to wait for the other block; it takes its turn in the middle of ``right``.
    left, right = ({**pointwise(name, n), "reads": [read]} for name, n, read in (("l", 4, "pre"), ("r", 12, "input")))
    case.networks["net"]["layers"] = [pointwise("pre", 10), left, right]
    case.workload["tasks"]["layer"]["map"]["pre"] = "array"
    spans = [s for s in case.run().spans if s.component.name == "core" and s.what in ("compute", "overhead")]
    found = [(s.what, f"{s.layer}{s.tile}") for s in sorted(spans, key=lambda s: s.start_ps)]
    assert found == [
        ("compute", "r0"), ("compute", "r1"), ("compute", "stage00"), ("compute", "l0"), ("overhead", "r2"),
        ("compute", "r2"),
    ]  # fmt: skip


def test_what_is_suspended_at_the_horizon_is_blamed_and_paid_up_to_there() -> None:
    case = shared({"stage": stage(2, 300, 1)}, preemption="full", context_switch="30 ns")
    at_515 = Case(case.platform, case.workload, case.networks, case.policy, 515 * NS).run()
    assert chain(job(at_515, "layer"))[-3:] == [
        ("compute", 160, 300, "-"), ("preempt", 300, 500, "stage#0"), ("overhead", 500, 515, "-"),
    ]  # fmt: skip
    at_400 = Case(case.platform, case.workload, case.networks, case.policy, 400 * NS).run()
    assert chain(job(at_400, "layer"))[-1] == ("preempt", 300, 400, "stage#0")
    assert chain(job(at_400, "stage")) == [("compute", 300, 400, "-")]
