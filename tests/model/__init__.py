"""Tests of what speaks to models."""
