"""The four phases of the non-blocking view.

    initiator                    target
      nb_transport_fw  BEGIN_REQ →
                       ← END_REQ    nb_transport_bw   the next request may begin
                     ← BEGIN_RESP   nb_transport_bw   the response is valid
      nb_transport_fw   END_RESP →                    the next response may begin

Either side may answer a call with the next phase (UPDATED) instead of calling back, or end the transaction (COMPLETED).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from tlm3d.tlm.payload import Payload


class Phase(Enum):
    """Where a transaction stands. Names as IEEE 1666."""

    BEGIN_REQ = 1
    END_REQ = 2
    BEGIN_RESP = 3
    END_RESP = 4


class Sync(Enum):
    """What a callee did. Names as IEEE 1666: took note, moved on to the phase it returns, or was the last to speak."""

    TLM_ACCEPTED = 0
    TLM_UPDATED = 1
    TLM_COMPLETED = 2


class Answer(NamedTuple):
    """What nb_transport returns: C++ hands phase and delay back through its arguments, Python in a tuple.

    ``phase`` counts with UPDATED only; ``delay_ps``: what is said happens that much after the call.
    """

    sync: Sync
    phase: Phase
    delay_ps: int = 0


NonblockingTransport = Callable[[Payload, Phase, int], Answer]
