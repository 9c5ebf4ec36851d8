"""Suites run for real, and the pure parts that judge what they showed."""
