"""Bounds: what can happen at worst, beside what a run has shown. Pure; reads plain descriptions, knows no SimPy."""
