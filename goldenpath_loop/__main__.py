"""`python -m goldenpath_loop` is `loop`."""

from __future__ import annotations

from goldenpath_loop.cli.app import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
