"""Configuration files of OpenG2G: what they say, and what 0.1 and 0.2 make of them (registered in `json.files`)."""
