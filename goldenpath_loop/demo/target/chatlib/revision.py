"""Which revision of the source this process serves."""

import os
import subprocess
from pathlib import Path


def served_revision(tree: Path = Path(__file__).parent) -> str:
    """The commit checked out where this very file lies, or "unknown" outside of a checkout.

    Read from the tree and never from a setting: a setting says what somebody meant to deploy.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "-C", str(tree), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
