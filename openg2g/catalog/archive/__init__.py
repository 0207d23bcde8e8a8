"""Whole histories: into archives, out of them, and from catalog to catalog."""
