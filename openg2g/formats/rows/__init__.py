"""A row per model: CSV and TSV, and what they share with Parquet."""
