"""Cu-Cu hybrid bonds between two dies that touch, face to face."""

from tlm3d.links import LinkSpec


class HybridBond(LinkSpec):
    """A field of hybrid bonds: one lane a pad pair, 0.01-0.05 pJ/bit down to 1 µm pitch (UCIe-3D analysis)."""

    ADJACENT_TIERS = True


KIND = HybridBond
