"""The language of searches: Python expressions over a workload and its revision, read but never executed."""
