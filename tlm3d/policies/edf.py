"""Earliest deadline first."""

from tlm3d.policies import JobView, Policy


class Edf(Policy):
    """The job with the nearest absolute deadline goes first (Liu & Layland 1973)."""

    DATED = True

    def key(self, job: JobView) -> int:
        return job.deadline_ps


KIND = Edf
