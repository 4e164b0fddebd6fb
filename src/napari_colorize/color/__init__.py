"""Colour science in torch, on any device."""
