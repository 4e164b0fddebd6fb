"""The first tab of the Train dock: what to learn from, what to do, and Start."""
