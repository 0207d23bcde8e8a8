"""Python scripts, read and never run."""
