"""Found by every Python that a traced run starts: notes which lines run, then makes way for the target's own.

It is read by the target's interpreter, so it knows nothing of the loop and imports nothing but coverage.
"""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

_HERE = str(Path(__file__).parent)


def _trace() -> None:
    try:
        import coverage
    except ImportError:
        # The target has none of its own: the loop's, which runs as plain Python where it was built for another one.
        sys.path.append(os.environ.get("GOLDENPATH_COVERAGE", ""))
        try:
            import coverage
        except ImportError:
            return
    try:
        import coverage.tracer
    except ImportError:
        os.environ["COVERAGE_CORE"] = "pytrace"
    else:
        # Only a core that sees calls can tell by which test a line was run.
        os.environ["COVERAGE_CORE"] = "ctrace"
    coverage.process_startup()


def _make_way() -> None:
    places = [place for place in sys.path if place != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", places)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("COVERAGE_PROCESS_START"):
    _trace()
_make_way()
