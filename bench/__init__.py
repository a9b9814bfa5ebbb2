"""``make bench``: what things cost, always as a ratio against something measured in the same run."""
