"""Fixed priorities, as the workload states them."""

from tlm3d.policies import JobView, Policy


class FixedPriority(Policy):
    """The job whose task has the smallest priority number goes first."""

    FIXED_TASKS = True

    def key(self, job: JobView) -> int:
        return job.priority


KIND = FixedPriority
