"""Models as scripts, good and bad ones, each a small module."""
