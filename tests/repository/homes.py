"""Home folders whose git settings are as unhelpful as people's can be."""

from __future__ import annotations

from pathlib import Path

import pytest

_HOSTILE = """
[user]
    useConfigOnly = true
[commit]
    gpgSign = true
[tag]
    gpgSign = true
[gpg]
    program = /bin/false
[color]
    ui = always
    diff = always
    status = always
    branch = always
[core]
    autocrlf = true
    safecrlf = true
    quotePath = true
    fsmonitor = {home}/fsmonitor
    pager = /bin/false
    editor = /bin/false
    attributesFile = {home}/attributes
    abbrev = 4
    untrackedCache = true
[diff]
    external = /bin/false
    noprefix = true
    mnemonicPrefix = true
    algorithm = patience
    context = 9
    interHunkContext = 50
    renames = copies
    relative = true
    submodule = log
    suppressBlankEmpty = true
    ignoreSubmodules = all
    orderFile = {home}/missing-order
    wsErrorHighlight = all
    colorMoved = zebra
[diff "shout"]
    textconv = "tr a-z A-Z <"
[merge]
    conflictStyle = diff3
    renames = false
    directoryRenames = true
    renormalize = true
[rerere]
    enabled = true
    autoUpdate = true
[log]
    showSignature = true
    decorate = full
    date = relative
    follow = true
    showRoot = false
    abbrevCommit = true
[format]
    pretty = oneline
[i18n]
    commitEncoding = ISO-8859-1
    logOutputEncoding = ISO-8859-1
[status]
    showUntrackedFiles = all
    relativePaths = true
    short = true
    branch = true
    renames = copies
[submodule]
    recurse = true
[fetch]
    prune = true
    pruneTags = true
    recurseSubmodules = true
    writeCommitGraph = true
[push]
    followTags = true
    gpgSign = true
    recurseSubmodules = check
    default = nothing
[gc]
    auto = 1
    autoDetach = false
[checkout]
    guess = false
    defaultRemote = nobody
[clean]
    requireForce = true
[advice]
    detachedHead = true
[alias]
    log = !false
"""

_HOOKS = (
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "prepare-commit-msg",
    "reference-transaction",
)


def hostile_home(monkeypatch: pytest.MonkeyPatch, home: Path, *, hooks: bool = True) -> None:
    """Make `home` the home folder of everything that is started from now on."""
    (home / "hooks").mkdir(parents=True)
    trap = "#!/bin/sh\necho this hook refuses everything >&2\nexit 1\n"
    for path in (home / "fsmonitor", *(home / "hooks" / name for name in _HOOKS)):
        path.write_text(trap)
        path.chmod(0o755)
    (home / "attributes").write_text("*.py diff=shout merge=union text eol=crlf\n* -diff\n")
    text = _HOSTILE.format(home=home)
    if hooks:
        text += f"[core]\n    hooksPath = {home}/hooks\n"
    (home / ".gitconfig").write_text(text)
    _live_in(monkeypatch, home)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u7")
    monkeypatch.setenv("GIT_ICASE_PATHSPECS", "1")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")


def named_home(monkeypatch: pytest.MonkeyPatch, home: Path, *, name: str) -> None:
    """A home folder of somebody who has set a name and nothing else."""
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text(f"[user]\n    name = {name}\n    email = {name}@example.test\n")
    _live_in(monkeypatch, home)


def _live_in(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
