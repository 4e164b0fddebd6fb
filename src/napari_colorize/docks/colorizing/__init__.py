"""What the Colorize dock is made of: its fields, the order they make, the work, the result."""
