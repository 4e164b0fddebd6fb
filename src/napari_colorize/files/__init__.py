"""Things on disk: pictures, photographs to train on, models."""
