"""Facts of one run: what happened, when, at what energy. No statistics here; see ``tlm3d.analysis``."""
