"""First in, first out."""

from tlm3d.policies import JobView, Policy


class Fifo(Policy):
    """The job that was released first goes first."""

    DATED = True

    def key(self, job: JobView) -> int:
        return job.release_ps


KIND = Fifo
