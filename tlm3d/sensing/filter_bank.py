"""An analog filter bank: the energies of a few bands are converted in the place of samples."""

from __future__ import annotations

from pydantic import Field

from tlm3d.spec.quantities import Count, Frozen, PowerNw


class FilterBankSpec(Frozen):
    """``bands`` filters a channel, each giving one value for every ``decimation`` samples; ``power`` of them all."""

    bands: Count
    decimation: Count
    power_nw: PowerNw = Field(alias="power", default=0)
