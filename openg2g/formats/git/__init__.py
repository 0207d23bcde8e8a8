"""The committed versions of a file."""
