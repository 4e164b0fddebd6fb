"""Layers that get their colours as they are looked at, and are saved whole."""
