"""The SystemC-style kernel on SimPy: channels, arbiters and the transfers on them. Knows no CNN and no task."""
