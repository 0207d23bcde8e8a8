"""Proof and safety: verifying a catalog, and copying its file."""
