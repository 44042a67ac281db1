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
    from tlm3d.bounds.result import Bounds
    from tlm3d.model.surroundings import Surroundings
    from tlm3d.simulation import bound, plan, simulate
    from tlm3d.spec.plan import Plan, load_plan
    from tlm3d.spec.platform import load_platform
    from tlm3d.spec.workload import load_workload
    from tlm3d.sweeps.axis import parse_axis
    from tlm3d.sweeps.point import Study
    from tlm3d.sweeps.processes import sweep
    from tlm3d.sweeps.why import why
    from tlm3d.tlm.carrier import Carrier
    from tlm3d.tlm.channel import Channel
    from tlm3d.tlm.fabric import Fabric
    from tlm3d.tlm.interconnect import Interconnect
    from tlm3d.tlm.memory_target import MemoryTarget
    from tlm3d.tlm.module import Module, elaborate
    from tlm3d.tlm.nonblocking import Answer, Phase, Sync
    from tlm3d.tlm.payload import Account, Command, Payload, Priority, ResponseStatus
    from tlm3d.tlm.protocol_checker import ProtocolChecker
    from tlm3d.tlm.router import Router
    from tlm3d.tlm.sockets import InitiatorSocket, TargetSocket

__version__ = "0.1.0"
__all__ = [
    "Account",
    "Answer",
    "Bounds",
    "Carrier",
    "Channel",
    "Command",
    "Fabric",
    "InitiatorSocket",
    "Interconnect",
    "MemoryTarget",
    "Module",
    "Payload",
    "Phase",
    "Plan",
    "Priority",
    "ProtocolChecker",
    "ResponseStatus",
    "Result",
    "Router",
    "Study",
    "Surroundings",
    "Sync",
    "TargetSocket",
    "__version__",
    "bound",
    "elaborate",
    "load_plan",
    "load_platform",
    "load_workload",
    "parse_axis",
    "plan",
    "simulate",
    "sweep",
    "why",
]

_HOME = {
    "Bounds": "tlm3d.bounds.result",
    "bound": "tlm3d.simulation",
    "Plan": "tlm3d.spec.plan",
    "Result": "tlm3d.analysis.result",
    "load_plan": "tlm3d.spec.plan",
    "load_platform": "tlm3d.spec.platform",
    "load_workload": "tlm3d.spec.workload",
    "parse_axis": "tlm3d.sweeps.axis",
    "plan": "tlm3d.simulation",
    "simulate": "tlm3d.simulation",
    "Study": "tlm3d.sweeps.point",
    "sweep": "tlm3d.sweeps.processes",
    "why": "tlm3d.sweeps.why",
    "Surroundings": "tlm3d.model.surroundings",
    "Carrier": "tlm3d.tlm.carrier",
    "Channel": "tlm3d.tlm.channel",
    "Fabric": "tlm3d.tlm.fabric",
    "Interconnect": "tlm3d.tlm.interconnect",
    "MemoryTarget": "tlm3d.tlm.memory_target",
    "Module": "tlm3d.tlm.module",
    "elaborate": "tlm3d.tlm.module",
    "Answer": "tlm3d.tlm.nonblocking",
    "Phase": "tlm3d.tlm.nonblocking",
    "Sync": "tlm3d.tlm.nonblocking",
    "Account": "tlm3d.tlm.payload",
    "Command": "tlm3d.tlm.payload",
    "Payload": "tlm3d.tlm.payload",
    "Priority": "tlm3d.tlm.payload",
    "ResponseStatus": "tlm3d.tlm.payload",
    "ProtocolChecker": "tlm3d.tlm.protocol_checker",
    "Router": "tlm3d.tlm.router",
    "InitiatorSocket": "tlm3d.tlm.sockets",
    "TargetSocket": "tlm3d.tlm.sockets",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `tlm3d --help` does not pay for numpy and SimPy.
    if name not in _HOME:
        raise AttributeError(f"module 'tlm3d' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
