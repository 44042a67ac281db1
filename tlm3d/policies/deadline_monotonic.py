"""Deadline monotonic."""

from tlm3d.policies import JobView, Policy


class DeadlineMonotonic(Policy):
    """The job whose task has the shortest relative deadline goes first (Leung & Whitehead 1982)."""

    FIXED_TASKS = True

    def key(self, job: JobView) -> int:
        return job.deadline_ps - job.release_ps


KIND = DeadlineMonotonic
