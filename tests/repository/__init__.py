"""Tests of the repository package."""
