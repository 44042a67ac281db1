"""What lies where and what an inference moves, for programs."""

from __future__ import annotations

from typing import Any

from tlm3d.record.residency import ResidencyPlan


def document(plan: ResidencyPlan) -> dict[str, Any]:
    """``plan`` as plain values."""
    return {
        "memories": [
            {
                "memory": use.memory,
                "capacity_bytes": use.capacity_bytes,
                "bytes": use.bytes,
                "contents": [content._asdict() for content in use.contents],
                "passing": [piece._asdict() for piece in use.passing],
            }
            for use in plan.memories
        ],
        "weights": [place._asdict() for place in plan.weights],
        "moves": [move._asdict() for move in plan.moves],
    }
