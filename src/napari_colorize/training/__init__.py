"""Learning from photographs."""
