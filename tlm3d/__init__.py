"""tlm3d: a transaction-level model of 3D-stacked heterogeneous chips.

from tlm3d import load_platform, load_workload, simulate

result = simulate(load_platform("platform.yaml"), load_workload("workload.yaml"))
print(result.verdict, result.average_nw)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlm3d.analysis.result import Result
    from tlm3d.simulation import simulate
    from tlm3d.spec.platform import load_platform
    from tlm3d.spec.workload import load_workload
    from tlm3d.sweeps.axis import parse_axis
    from tlm3d.sweeps.point import Study
    from tlm3d.sweeps.processes import sweep

__version__ = "0.1.0"
__all__ = [
    "Result",
    "Study",
    "__version__",
    "load_platform",
    "load_workload",
    "parse_axis",
    "simulate",
    "sweep",
]

_HOME = {
    "Result": "tlm3d.analysis.result",
    "load_platform": "tlm3d.spec.platform",
    "load_workload": "tlm3d.spec.workload",
    "parse_axis": "tlm3d.sweeps.axis",
    "simulate": "tlm3d.simulation",
    "Study": "tlm3d.sweeps.point",
    "sweep": "tlm3d.sweeps.processes",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `tlm3d --help` does not pay for numpy and SimPy.
    if name not in _HOME:
        raise AttributeError(f"module 'tlm3d' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
