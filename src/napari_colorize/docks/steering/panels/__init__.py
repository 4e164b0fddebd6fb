"""What a person sees of a session: the tabs of the Steer dock and its foot."""
