"""Worktrees with a small service in them that behaves as its environment says."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_alive", "pids_in", "write_tree"]

# Writes its process id into the tree first, so that a test can look for it after it should be gone.
_SERVICE = """
import http.server, json, os, pathlib, signal, subprocess, sys, threading

mode, tree = os.environ.get("MODE", "serve"), pathlib.Path.cwd()

def note(pid):
    with open(tree / "pids", "a") as file:
        file.write(f"{pid}\\n")

note(os.getpid())
print("starting as", os.environ.get("NAME", "nobody"), flush=True)
if mode == "complain":
    print("\\x1b[31mSECRET is not set\\x1b[0m", flush=True)
    sys.exit(78)
if mode == "crash":
    raise ValueError("no such table: users")
if mode == "lose_port_once" and not (tree / "lost").exists():
    (tree / "lost").touch()
    sys.exit(f"OSError: [Errno 98] Address already in use: {os.environ['PORT']}")
if mode == "silent":
    threading.Event().wait()
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "parent":
    child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    note(child.pid)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = json.dumps({
            "status": "healthy", "name": os.environ.get("NAME"), "peer": os.environ.get("PEER_URL"),
            "path": os.environ["PYTHONPATH"], "cwd": str(tree), "secret": os.environ.get("SECRET"),
        }).encode()
        self.send_response(503 if mode == "unwell" else 200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Health).serve_forever()
"""


def write_tree(folder: Path) -> Path:
    """A tree whose module `small` is the service."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.py").write_text(_SERVICE)
    return folder


def pids_in(tree: Path) -> list[int]:
    """Every process that the services of a tree have been."""
    noted = tree / "pids"
    return [int(line) for line in noted.read_text().split()] if noted.exists() else []


def is_alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
