"""Least laxity."""

from tlm3d.policies import JobView, Policy


class LeastLaxity(Policy):
    """The job with the least time to spare goes first (Mok & Dertouzos 1978): what is left until its deadline beyond
    its own work.

    The laxity of a job that waits shrinks, that of one that runs stays: the order moves with time.
    """

    MOVES = True

    def key(self, job: JobView) -> int:
        return job.deadline_ps - job.remaining_ps

    def key_at(self, job: JobView, now_ps: int) -> int:
        return job.deadline_ps - now_ps - job.remaining_ps


KIND = LeastLaxity
