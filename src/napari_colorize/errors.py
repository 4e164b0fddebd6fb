"""Every error that is raised on purpose.

::

    ColorizeError
    ├── PictureError      a picture that cannot be coloured or read (also a ValueError)
    ├── ModelError        a model that is unknown, broken, foreign or too new
    ├── StorageError      a disk that is full or a place that cannot be written
    ├── TrainingError     a training that cannot start or go on
    │   ├── DataError     a folder without usable photographs
    │   └── RunError      a run folder that is in use or not a run folder
    ├── ClusterError      a Dask cluster that does not answer, or cannot do what it was given
    └── Cancelled         the user wanted out

None of them is a ``RuntimeError``: napari's generator workers swallow those.
"""

from __future__ import annotations


class ColorizeError(Exception):
    """Base of every error of napari-colorize; its text is written for people."""


class PictureError(ColorizeError, ValueError):
    """A picture has a shape, a type, values or a file that cannot be used."""


class ModelError(ColorizeError):
    """A model is unknown, broken, foreign or newer than this version."""


class StorageError(ColorizeError):
    """A disk is full, or a file or folder cannot be written."""


class TrainingError(ColorizeError):
    """A training cannot start or go on."""


class DataError(TrainingError):
    """A folder holds too few usable photographs."""


class RunError(TrainingError):
    """A run folder is in use, missing or not a run folder."""


class ClusterError(ColorizeError):
    """A Dask cluster does not answer, has no workers or cannot do what it was given."""


class Cancelled(ColorizeError):
    """The user asked to stop before the work was done."""
