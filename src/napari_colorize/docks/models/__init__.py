"""The models in the window: list, card, notes, bin, and what a dropped file shows."""
