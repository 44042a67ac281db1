"""Through-silicon vias between two dies that touch."""

from tlm3d.links import LinkSpec


class Tsv(LinkSpec):
    """A bundle of TSVs: one lane a via. Energy a bit is the charge of the via, its driver and its keeper.

    A 47 fF via at 0.8 V and activity 0.5 is 15 fJ/bit before the driver; 50 fJ/bit with a synchroniser is usual.
    """

    ADJACENT_TIERS = True


KIND = Tsv
