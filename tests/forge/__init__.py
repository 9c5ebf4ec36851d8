"""Tests of the forge package."""
