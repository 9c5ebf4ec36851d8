"""An unattended loop that finds, explains, repairs and proves regressions of a running system."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
