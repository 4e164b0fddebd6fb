"""Hints as layers of napari and as files, in step with a session."""
