"""From the facts of a run to its whole answer."""

from __future__ import annotations

from tlm3d.analysis.digest import Digest
from tlm3d.analysis.result import Result
from tlm3d.record.recording import Recording


def judge(recording: Recording) -> Result:
    """Judge the deadlines and limits of a run, add up its energy. Raises SimulationError for facts that contradict."""
    return Digest(recording).result()
