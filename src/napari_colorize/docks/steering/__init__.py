"""Steering the colours of one picture: hints, sliders, reference, versions, doubt."""
