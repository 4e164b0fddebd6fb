"""What the commands of the shell do, one module for each that is more than a few lines."""
