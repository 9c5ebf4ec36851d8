"""Holds no test."""
