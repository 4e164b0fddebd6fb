"""Stacks on disk: their axes, movies, TIFF, zarr and folders of frames; what grows, and goes on."""
