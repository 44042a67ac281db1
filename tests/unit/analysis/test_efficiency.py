"""Efficiencies worked out by hand."""

from __future__ import annotations

from unit.analysis.made import job, recording, span, state

from tlm3d.analysis.judge import judge
from tlm3d.analysis.result import Efficiency
from tlm3d.record.recording import Recording

UJ = 10**12


def efficiency_of(made: Recording) -> Efficiency:
    return judge(made).efficiency


def test_core_efficiency_is_compute_energy_over_operations_executed() -> None:
    made = recording(100, spans=[span(0, 10, 4000), span(10, 20, 9000, what="memory")], macs_executed=4)
    assert efficiency_of(made).core_fj_per_op == 0.5  # 4 fJ over 8 op


def test_effective_efficiency_is_all_energy_over_dense_operations_of_finished_inferences() -> None:
    made = recording(
        100,
        spans=[span(0, 10, 3_000_000), span(10, 20, 1_000_000, what="memory", task="-")],
        jobs=[job(0, 50, 10), job(50, 100, 90, index=1), job(60, 110, 120, index=2)],
    )
    assert efficiency_of(made).effective_fj_per_op == 2.0  # 4000 fJ over 2 × 1000 op


def test_energy_that_no_task_owns_is_shared_by_busy_time() -> None:
    made = recording(
        100,
        spans=[
            span(0, 30, 6 * UJ),
            span(30, 40, 2 * UJ, task="attitude"),
            span(90, 130, 4 * UJ, task="attitude"),  # a quarter of it inside: 10 ps, 1 µJ
            span(50, 60, 5 * UJ, what="memory", task="-"),
            span(60, 90, 0, what="memory"),  # no compute: not busy in this sense
        ],
        jobs=[job(0, 50, 10), job(50, 100, 90, index=1), job(0, 40, 40, task="attitude")],
        tasks=["classify", "attitude"],
    )
    found = efficiency_of(made)
    assert found.uj_per_inference == {"classify": 3.0}
    assert found.uj_per_inference_with_share == {"classify": 4.5}  # (6 + 5·30/50) / 2
    assert found.unowned_uj == 5.0


def test_nothing_computed_and_nothing_completed_have_no_efficiency() -> None:
    found = efficiency_of(recording(1000, states=[state(0, 1000, 5)], jobs=[job(0, 2000, status="unfinished")]))
    assert found == Efficiency(None, None, {}, {}, unowned_uj=5e-12)


def test_without_compute_time_the_share_is_nothing() -> None:
    made = recording(1000, spans=[span(0, 10, UJ, what="memory")], states=[state(0, 1000, 5)], jobs=[job(0, 20, 10)])
    found = efficiency_of(made)
    assert found.uj_per_inference == found.uj_per_inference_with_share == {"classify": 1.0}
