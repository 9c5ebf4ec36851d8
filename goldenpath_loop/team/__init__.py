"""Agents and prompts as data."""
