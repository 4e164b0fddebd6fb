"""One picture that is steered: what is wanted of it, and the layer that shows it live."""
