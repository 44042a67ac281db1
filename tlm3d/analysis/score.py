"""How well networks run together: the scores of XRBench, and what it costs them that they share the chip.

XRBench (Kwon et al., MLSys 2023) as its own code has it (github.com/XRBench/XRBench-MLSys2023,
HET_scoring-module.hpp, with k = 15 and 1500 as XRBench-MAESTRO.cpp sets them): a frame that was completed scores
real-time · energy, a dropped one nothing, and a model the mean of its frames times the share that was completed.

Normalised turnaround time, its mean, system throughput and fairness after Eyerman and Eeckhout, "System-level
performance metrics for multiprogram workloads", IEEE Micro 28(3), 2008.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import exp

from tlm3d.analysis.deadlines import is_finished, is_judged, jobs_by_task
from tlm3d.analysis.result import Result
from tlm3d.record.recording import JobEnd

STEEPNESS = 15  # of the real-time score, 1/ms
MOST_MJ = 1500  # an inference that takes so much scores no energy
_PS_PER_MS = 10**9
_UJ_PER_MJ = 1000


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One network task: its XRBench scores in [0, 1], and its mean response beside that alone on the chip."""

    task: str
    network: str
    frames: int  # judged jobs
    completed: int  # of these, in time or late
    real_time: float  # mean over the completed
    energy: float
    quality: float  # QoE: completed / frames
    score: float  # quality · mean over all frames of real-time · energy
    mj_per_inference: float | None  # of its own; None where none was completed
    together_ps: int | None  # mean response among the others; None where no judged job ran
    alone_ps: int | None

    @property
    def normalised(self) -> float | None:
        """Normalised turnaround time, together / alone; None where one of them is not known."""
        return self.together_ps / self.alone_ps if self.together_ps is not None and self.alone_ps else None


@dataclass(frozen=True, slots=True)
class Score:
    """All network tasks of a workload; the means are over the models."""

    platform: str
    workload: str
    policy: str
    seed: int
    horizon_ps: int
    corner: str
    models: tuple[ModelScore, ...]  # in the order of their names
    real_time: float
    energy: float
    quality: float
    overall: float  # 100 · mean of the models' scores
    antt: float | None  # mean of the normalised turnaround times; None where one is not known
    stp: float | None  # sum of alone / together, in models' worth of progress; at most their number where none gains
    fairness: float | None  # least of normalised / normalised of two: 1 when all are slowed down alike


def real_time_score(late_ps: int) -> float:
    """1 / (1 + e^(15 · late in ms)): 0.5 at the deadline, 1 well before it, 0 well after."""
    power = STEEPNESS * late_ps / _PS_PER_MS
    return 1 / (1 + exp(power)) if power < 0 else exp(-power) / (1 + exp(-power))  # never of a large power


def energy_score(mj: float) -> float:
    """(1500 − mJ) / 1500, inside [0, 1]."""
    return min(1.0, max(0.0, (MOST_MJ - mj) / MOST_MJ))


def fairness(normalised: Sequence[float]) -> float:
    """The least of NTT_i / NTT_j; 1 for a model by itself."""
    return min((one / other for one, other in permutations(normalised, 2)), default=1.0)


def score(together: Result, alone: Mapping[str, Result]) -> Score:
    """Score every network task of ``together``, whose recording holds its jobs; ``alone``: each task by itself."""
    jobs = jobs_by_task(together.recording)
    models = tuple(_model(together, name, jobs[name], result) for name, result in sorted(alone.items()))
    known = [model.normalised for model in models if model.normalised is not None]
    all_known = len(known) == len(models)
    return Score(
        platform=together.platform,
        workload=together.workload,
        policy=together.policy,
        seed=together.seed,
        horizon_ps=together.horizon_ps,
        corner=together.corner,
        models=models,
        real_time=_mean([model.real_time for model in models]),
        energy=_mean([model.energy for model in models]),
        quality=_mean([model.quality for model in models]),
        overall=100 * _mean([model.score for model in models]),
        antt=_mean(known) if all_known else None,
        stp=sum(1 / one for one in known) if all_known else None,
        fairness=fairness(known) if all_known else None,
    )


def _model(together: Result, name: str, jobs: Sequence[JobEnd], alone: Result) -> ModelScore:
    horizon_ps = together.horizon_ps
    judged = [job for job in jobs if is_judged(job, horizon_ps)]
    late_ps = [job.finish_ps - job.deadline_ps for job in judged if is_finished(job, horizon_ps)]
    uj = together.efficiency.uj_per_inference.get(name)
    mj = None if uj is None else uj / _UJ_PER_MJ
    times = [real_time_score(late) for late in late_ps]
    energy = 0.0 if mj is None else energy_score(mj)
    quality = len(late_ps) / len(judged) if judged else 0.0
    responses = (result.tasks[name].response for result in (together, alone))
    together_ps, alone_ps = (None if response is None else response.mean_ps for response in responses)
    return ModelScore(
        task=name,
        network=together.recording.tasks[name].network,
        frames=len(judged),
        completed=len(late_ps),
        real_time=_mean(times),
        energy=energy,
        quality=quality,
        score=quality * energy * sum(times) / len(judged) if judged else 0.0,
        mj_per_inference=mj,
        together_ps=together_ps,
        alone_ps=alone_ps,
    )


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
