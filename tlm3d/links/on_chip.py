"""On-die interconnect: the bus that the blocks of one die share."""

from tlm3d.links import LinkSpec


class OnChip(LinkSpec):
    """A bus: one channel for all traffic of its die. Energy a bit is wire energy a millimetre times its length."""

    WITHIN_DIE = True


KIND = OnChip
