"""What a catalog says about many workloads at once."""
