"""Convolutional networks as work for a chip: layers, shapes, MAC counts, and tiles that fit a local memory. Pure."""
