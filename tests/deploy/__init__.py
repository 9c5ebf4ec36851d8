"""Deployments made of real processes."""
