"""Runs the backend: python -m backend."""

from backend.app import create_app
from chatlib.serve import serve

serve("backend", create_app)
