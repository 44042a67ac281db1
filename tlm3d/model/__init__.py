"""Elaboration and the life of a job: the frozen descriptions become a system that runs on SimPy."""
