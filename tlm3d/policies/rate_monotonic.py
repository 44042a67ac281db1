"""Rate monotonic."""

from tlm3d.policies import JobView, Policy


class RateMonotonic(Policy):
    """The job whose task has the shortest period goes first (Liu & Layland 1973)."""

    FIXED_TASKS = True

    def key(self, job: JobView) -> int:
        return job.period_ps


KIND = RateMonotonic
