"""The result for programs: one JSON document, the same bytes for the same run. Described by result.schema.json."""

from __future__ import annotations

import json
from typing import Any

from tlm3d import __version__
from tlm3d.analysis.result import (
    Battery,
    BlockUse,
    ChainResult,
    Delay,
    JobBlame,
    LimitResult,
    PlanResult,
    Result,
    TaskResult,
    Trouble,
)  # fmt: skip
from tlm3d.reporters import bounds, residency
from tlm3d.reporters.job import causes, status, within

_NW_PER_MW = 10**6


def document(result: Result) -> dict[str, Any]:
    """``result`` as plain dicts, lists, integers, floats and text, in the order of docs/json.md.

    Integers end in ``_ps``, ``_aj`` or ``_nw``; floats (``_mw``, ``_uj``, ``_fj_per_op``) are for people.
    """
    efficiency = result.efficiency
    return {
        "verdict": str(result.verdict),
        "reasons": list(result.reasons),
        "version": __version__,
        "platform": result.platform,
        "workload": result.workload,
        "policy": result.policy,
        "seed": result.seed,
        "horizon_ps": result.horizon_ps,
        "interrupted_of_ps": result.interrupted_of_ps or None,
        "corner": result.corner,
        "troubles": [_trouble(trouble) for trouble in result.troubles],
        "tasks": {name: _task(task, result) for name, task in sorted(result.tasks.items())},
        "chains": {name: _chain(chain) for name, chain in sorted(result.chains.items())},
        "plan": None if result.plan is None else _plan(result.plan),
        "bounds": None if result.bounds is None else bounds.document(result.bounds),
        "worst_job": None if result.worst is None else _job(result.worst, result.horizon_ps),
        "tightest_jobs": [_job(blame, result.horizon_ps) for blame in result.tightest],
        "power": {
            "average_mw": result.average_nw / _NW_PER_MW,
            "average_nw": result.average_nw,
            "limits": [_limit(limit) for limit in result.limits],
        },
        "energy": {
            "total_aj": result.total_aj,
            "accounts": [
                {"die": a.die, "component": a.component, "what": a.what, "task": a.task, "energy_aj": a.energy_aj}
                for a in sorted(result.accounts, key=lambda a: (a.die, a.component, a.what, a.task))
            ],
        },
        "battery": None if result.battery is None else _battery(result.battery),
        "blocks": {name: _block(use) for name, use in sorted(result.blocks.items())},
        "channels": {
            name: {
                "role": channel.role,
                "transfers": channel.transfers,
                "bits": channel.bits,
                "busy_ps": channel.busy_ps,
                "queue_ps": channel.queue_ps,
                "resent": channel.resent,
                "energy_aj": channel.energy_aj,
            }
            for name, channel in sorted(result.channels.items())
        },
        "efficiency": {
            "core_fj_per_op": efficiency.core_fj_per_op,
            "effective_fj_per_op": efficiency.effective_fj_per_op,
            "uj_per_inference": dict(sorted(efficiency.uj_per_inference.items())),
            "uj_per_inference_with_share": dict(sorted(efficiency.uj_per_inference_with_share.items())),
            "unowned_uj": efficiency.unowned_uj,
        },
        "boot_bytes": result.boot_bytes,
        "residency": residency.document(result.recording.residency),
        "notes": list(result.notes),
    }


def dumps(result: Result) -> str:
    """``document(result)`` as indented ASCII JSON text that ends with a newline."""
    return json.dumps(document(result), indent=2, allow_nan=False) + "\n"


def _battery(battery: Battery) -> dict[str, Any]:
    return {
        "average_mw": battery.average_nw / _NW_PER_MW,
        "average_nw": battery.average_nw,
        "total_aj": battery.total_aj,
        "loss_aj": battery.loss_aj,
        "effective_fj_per_op": battery.effective_fj_per_op,
        "uj_per_inference_with_share": dict(sorted(battery.uj_per_inference_with_share.items())),
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "kind": trouble.kind,
        "where": trouble.where,
        "who": trouble.who,
        "at_ps": trouble.at_ps,
        "asked_ps": trouble.asked_ps,
        "capacity_ps": trouble.capacity_ps,
        "shares": [{"task": task, "time_ps": time_ps} for task, time_ps in trouble.shares],
        "waits": [{"job": w.job, "resource": w.resource, "holder": w.holder} for w in trouble.waits],
    }


def _task(task: TaskResult, result: Result) -> dict[str, Any]:
    response, tardiness, firm = task.response, task.tardiness, task.firm
    return {
        "jobs": task.jobs,
        "judged": task.judged,
        "missed": task.missed,
        "miss_ratio": task.miss_ratio,
        "open": task.open,
        "finished": task.finished,
        "deadline_ps": task.deadline_ps,
        "response_ps": None
        if response is None
        else {
            "min": response.min_ps,
            "mean": response.mean_ps,
            "p50": response.p50_ps,
            "p95": response.p95_ps,
            "p99": response.p99_ps,
            "max": response.max_ps,
            "jitter": response.jitter_ps,
            "max_is_bound": response.max_is_bound,
        },
        "tardiness_ps": None
        if tardiness is None
        else {"mean": tardiness.mean_ps, "max": tardiness.max_ps, "is_bound": tardiness.is_bound},
        "least_slack_ps": None if tardiness is None else tardiness.least_slack_ps,
        "firm": None
        if firm is None
        else {"needed": firm.needed, "window": firm.window, "fewest": firm.fewest, "met": firm.met},
        "computing_ps": sum(use.computing_ps.get(task.name, 0) for use in result.blocks.values()),
    }


def _chain(chain: ChainResult) -> dict[str, Any]:
    return {
        "tasks": list(chain.tasks),
        "deadline_ps": chain.deadline_ps,
        "max_age_ps": chain.max_age_ps,
        "reaction_ps": _delay(chain.reaction),
        "age_ps": _delay(chain.age),
    }


def _plan(plan: PlanResult) -> dict[str, Any]:
    return {
        "method": plan.method,
        "policy": plan.policy,
        "corner": plan.corner,
        "tasks": {
            name: {
                "response_ps": found.response_ps,
                "mean_ps": found.mean_ps,
                "energy_aj": found.energy_aj,
                "spent_aj": found.spent_aj,
            }
            for name, found in sorted(plan.tasks.items())
        },
    }


def _delay(delay: Delay | None) -> dict[str, Any] | None:
    if delay is None:
        return None
    return {
        "worst": delay.worst_ps,
        "mean": delay.mean_ps,
        "judged": delay.judged,
        "lost": delay.lost,
        "worst_is_bound": delay.is_bound,
    }


def _block(use: BlockUse) -> dict[str, Any]:
    return {
        "busy_ps": use.busy_ps,
        "switching_ps": use.switching_ps,
        "computing_ps": dict(sorted(use.computing_ps.items())),
    }


def _job(blame: JobBlame, horizon_ps: int) -> dict[str, Any]:
    job = blame.job
    return {
        "task": job.task,
        "index": job.index,
        "status": status(job, horizon_ps),
        "release_ps": job.release_ps,
        "deadline_ps": job.deadline_ps,
        "start_ps": within(job.start_ps, horizon_ps),
        "finish_ps": within(job.finish_ps, horizon_ps),
        "response_ps": blame.response_ps,
        "slack_ps": blame.slack_ps,
        "buckets_ps": dict(blame.buckets),
        "causes": [
            {"bucket": c.bucket, "where": c.where, "holder": c.holder, "time_ps": c.time_ps} for c in causes(blame)
        ],
    }


def _limit(limit: LimitResult) -> dict[str, Any]:
    return {
        "kind": limit.kind,
        "definition": limit.definition,
        "at": limit.at,
        "limit_mw": limit.limit_nw / _NW_PER_MW,
        "limit_nw": limit.limit_nw,
        "worst_mw": None if limit.worst_nw is None else limit.worst_nw / _NW_PER_MW,
        "worst_nw": limit.worst_nw,
        "at_ps": limit.at_ps,
        "met": limit.met,
        "crossed_ps": limit.crossed_ps,
        "exceeded_ps": limit.exceeded_ps,
    }
