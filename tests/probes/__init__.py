"""Probes against real servers on loopback, and their pure halves."""
