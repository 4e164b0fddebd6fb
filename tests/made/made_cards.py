"""Model files of a few bytes, written by hand as the format wants it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CARD = {"version": 1, "network": "plain", "settings": {}, "working_size": 128}


def write_model(path: Path, payload: bytes = b"\x00\x3c\x00\x40", **changes: object) -> Path:
    """Write a model file whose name on the card is that of the file; no network can load it."""
    card = CARD | {"hash": hashlib.sha256(payload).hexdigest(), "name": path.stem} | changes
    header = {
        "__metadata__": {"card": json.dumps(card), "format": "pt"},
        "w": {"dtype": "F16", "shape": [len(payload) // 2], "data_offsets": [0, len(payload)]},
    }
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + payload)
    return path
