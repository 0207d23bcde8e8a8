"""Names, revisions and aliases: written in order, and found by reference and time."""
