"""The archive of a whole catalog."""
