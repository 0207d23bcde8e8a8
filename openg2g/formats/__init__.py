"""File formats: each one a view of the same document. `registry` lists them."""
