"""The second tab of the Train dock: a run as it goes, its curves, previews and end."""
