"""Planned placement: which block runs what, decided before the run."""
