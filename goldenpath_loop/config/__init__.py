"""goldenpath.toml to values, each with the place it came from."""
