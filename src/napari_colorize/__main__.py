"""The command line as ``python -m napari_colorize``."""

from __future__ import annotations

from napari_colorize.cli import main

if __name__ == "__main__":
    main()
