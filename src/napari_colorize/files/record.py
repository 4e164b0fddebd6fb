"""The record of a coloured picture inside its file: what made it, as XMP that others read too.

Every file carries one XMP packet with two properties: our record as JSON in a namespace of the
project's own, and the IPTC property *Digital Source Type*, which says that a trained model had a
part in the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os


def read_record(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the record in a picture file, None when it holds none."""
    raise NotImplementedError
