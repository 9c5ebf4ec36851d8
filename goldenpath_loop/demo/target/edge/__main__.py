"""Runs the edge: python -m edge."""

from chatlib.serve import serve
from edge.app import create_app

serve("edge", create_app)
