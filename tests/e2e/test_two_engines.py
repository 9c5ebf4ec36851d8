"""Two engines on two clones that never meet end with one branch and one pull request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.command import leftovers, typed
from tests.e2e.library import build_library, git


def test_two_that_find_the_same_failure_open_one_pull_request(tmp_path: Path) -> None:
    """Both are repaired; one says where its pull request is, the other who opened it, and both records verify."""
    library = build_library(tmp_path, commits=6, culprit=4)
    second = tmp_path / "second"
    git(tmp_path, "clone", "-q", str(library.origin), str(second))
    roots = (library.root, second)
    with ThreadPoolExecutor(2) as pool:
        ended = list(
            pool.map(
                lambda root: typed("start", "--json", folder=root, cache=tmp_path / f"home-{root.name}"),
                roots,
            )
        )
    assert [(one.exit_code, one.record["outcome"]) for one in ended] == [(0, "repaired")] * 2
    refs = git(library.origin, "for-each-ref", "--format=%(refname)").split()
    (branch,) = (ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/goldenpath/"))
    assert refs.count(f"refs/goldenpath/pull-requests/{branch}") == 1
    assert len(refs) == 3
    (file,) = tmp_path.glob("*/runs/*/pull_request*.md")
    others = [one for one in ended if "already opened by run " in " ".join(one.record["next_actions"])]
    assert len(others) == 1
    assert str(file) in " ".join(others[0].record["next_actions"])
    for root in roots:
        assert typed("verify", folder=root, cache=tmp_path / "home").exit_code == 0
    assert leftovers(str(tmp_path)) == []
