"""Searching by Python expressions, which are compiled to SQL."""
