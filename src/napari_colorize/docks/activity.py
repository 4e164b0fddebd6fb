"""A bar in napari's activity dock."""

from __future__ import annotations

from napari.utils.progress import cancelable_progress


class ActivityBar(cancelable_progress):  # type: ignore[misc]  # tqdm brings no types
    """A bar in napari's activity dock whose Cancel acts at once, not at the next step."""

    def cancel(self) -> None:
        """Ask the work to end."""
        super().cancel()
        self.cancel_callback()
