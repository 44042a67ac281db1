"""Recording → plain numbers. Pure: never sees SimPy, never prints."""
