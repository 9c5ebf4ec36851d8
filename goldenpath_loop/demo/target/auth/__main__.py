"""Runs the auth service: python -m auth."""

from auth.app import create_app
from chatlib.serve import serve

serve("auth", create_app)
