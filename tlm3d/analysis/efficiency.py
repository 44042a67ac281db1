"""Energy an operation and energy an inference. 1 MAC = 2 op."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tlm3d.analysis.energy import UNOWNED
from tlm3d.analysis.result import Account, Efficiency, TaskResult
from tlm3d.record.recording import Recording

_AJ_PER_FJ = 1000
_AJ_PER_UJ = 10**12


def efficiency(
    recording: Recording, accounts: Sequence[Account], tasks: Mapping[str, TaskResult], busy_ps: Mapping[str, int]
) -> Efficiency:
    """The three efficiencies of a run from its ``accounts``, the inferences its ``tasks`` finished in the window, and
    their compute time.

    *core*: compute accounts ÷ operations executed. *effective*: all energy ÷ dense operations of the inferences
    completed. *µJ an inference*: a network task's own accounts ÷ its inferences completed, without and with its share
    of what no task owns. Without compute time of any task there is nothing to share by, and the two are equal.
    """
    inferences = {
        name: result.finished
        for name, result in tasks.items()
        if result.finished and recording.tasks[name].network != "-"
    }
    dense_ops = sum(count * recording.tasks[name].dense_ops for name, count in inferences.items())
    own_aj = {name: _sum_aj(account for account in accounts if account.task == name) for name in inferences}
    unowned_aj = _sum_aj(account for account in accounts if account.task == UNOWNED)
    all_busy_ps = sum(busy_ps.values())
    share_aj = {name: unowned_aj * busy_ps.get(name, 0) / all_busy_ps if all_busy_ps else 0.0 for name in inferences}
    compute_aj = _sum_aj(account for account in accounts if account.what == "compute")
    return Efficiency(
        core_fj_per_op=_fj_per_op(compute_aj, 2 * recording.macs_executed),
        effective_fj_per_op=_fj_per_op(_sum_aj(accounts), dense_ops),
        uj_per_inference={name: own_aj[name] / count / _AJ_PER_UJ for name, count in inferences.items()},
        uj_per_inference_with_share={
            name: (own_aj[name] + share_aj[name]) / count / _AJ_PER_UJ for name, count in inferences.items()
        },
        unowned_uj=unowned_aj / _AJ_PER_UJ,
    )


def _sum_aj(accounts: Iterable[Account]) -> int:
    return sum(account.energy_aj for account in accounts)


def _fj_per_op(energy_aj: int, operations: int) -> float | None:
    return energy_aj / operations / _AJ_PER_FJ if operations else None
