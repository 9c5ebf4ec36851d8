"""Settings that make git answer the same on every machine; they win over the person's own."""

from __future__ import annotations

import os

__all__ = ["NEUTRAL", "QUIET"]

_QUIET = {
    "advice.detachedHead": "false",
    "color.ui": "false",
    # A housekeeping run in the background would rewrite the person's repository long after we are gone.
    "gc.auto": "0",
    "maintenance.auto": "false",
}

_NEUTRAL = {
    **_QUIET,
    "color.diff": "false",
    "color.status": "false",
    "commit.gpgSign": "false",
    "core.abbrev": "12",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    # A receipt that names a commit is on the disk; so has the commit to be.
    "core.fsync": "committed",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "core.sparseCheckout": "false",
    "diff.algorithm": "myers",
    "diff.ignoreSubmodules": "none",
    "diff.indentHeuristic": "true",
    "diff.interHunkContext": "0",
    "diff.orderFile": os.devnull,
    "diff.relative": "false",
    "diff.submodule": "short",
    "diff.wsErrorHighlight": "none",
    "fetch.prune": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "log.abbrevCommit": "false",
    "log.date": "iso-strict",
    "log.decorate": "false",
    "log.follow": "false",
    "log.showRoot": "true",
    "log.showSignature": "false",
    "merge.conflictStyle": "merge",
    # Files are never moved on the strength of a guess about their folder.
    "merge.directoryRenames": "false",
    "merge.renameLimit": "7000",
    "merge.renames": "true",
    "merge.renormalize": "false",
    # Would decide conflicts by what the person once did, and remember ours in the person's repository.
    "rerere.enabled": "false",
    "submodule.recurse": "false",
    "user.useConfigOnly": "false",
}


def _arguments(settings: dict[str, str]) -> tuple[str, ...]:
    return tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))


NEUTRAL = _arguments(_NEUTRAL)
"""For reading and for our own bookkeeping."""

QUIET = _arguments(_QUIET)
"""For what happens in the person's name, with their hooks: a push."""
