"""Each edit takes exactly its own change out of a tree, and refuses a tree it does not fit."""

from __future__ import annotations

import pytest

from goldenpath_loop.demo.edits import Added, Deleted, Edit, Inlined, Lines, Part, Swept, Tree, Was
from goldenpath_loop.errors import InternalError

TREE: Tree = {
    "a.py": "import os\n\n\ndef one():\n    pass\n\n\ndef two():\n    pass\n",
    "b.py": "from c import names\n\nprint(names.FIRST)\n",
    "names.py": '"""Names."""\n\nFIRST = "first"\n',
}


@pytest.mark.parametrize(
    ("edit", "path", "before"),
    [
        pytest.param(Added("a.py"), "a.py", None, id="an added file was not there"),
        pytest.param(Deleted("old.py", "x\n"), "old.py", "x\n", id="a deleted file was there"),
        pytest.param(
            Was("b.py", "print(names.FIRST)", "pass"),
            "b.py",
            "from c import names\n\npass\n",
            id="a text was another",
        ),
        pytest.param(
            Lines("names.py", 'FIRST = "first"'),
            "names.py",
            '"""Names."""\n\n',
            id="an added line was not there",
        ),
        pytest.param(
            Part("a.py", "def one", "def two"),
            "a.py",
            "import os\n\n\ndef two():\n    pass\n",
            id="a part was not there",
        ),
        pytest.param(
            Part("a.py", "def two"),
            "a.py",
            "import os\n\n\ndef one():\n    pass\n",
            id="a last part was not there",
        ),
        pytest.param(
            Swept(rules=((r"\bpass\b", "return"),), under=("a",)),
            "a.py",
            TREE["a.py"].replace("pass", "return"),
            id="a sweep was not done",
        ),
        pytest.param(
            Inlined("names.py", importing="from c import names", under=("b",)),
            "b.py",
            '\nprint("first")\n',
            id="constants stood in place",
        ),
    ],
)
def test_an_edit_can_be_undone(edit: Edit, path: str, before: str | None) -> None:
    """After undo the file is as it was before, and no other file but the edit's own changed."""
    tree = dict(TREE)
    edit.undo(tree)
    assert tree.get(path) == before
    untouched = TREE.keys() - {path, "names.py"}
    assert {name: tree[name] for name in untouched} == {name: TREE[name] for name in untouched}


@pytest.mark.parametrize(
    "edit",
    [
        Added("absent.py"),
        Was("a.py", "absent", "x"),
        Was("a.py", "pass", "x"),
        Lines("a.py", "    pass"),
        Lines("a.py", "absent"),
        Part("a.py", "absent"),
        Part("a.py", "def ", "x"),
        Part("a.py", "def one", "absent"),
        Swept(rules=((r"absent", "x"),), under=("a",)),
    ],
    ids=repr,
)
def test_an_edit_that_does_not_fit_is_an_error(edit: Edit) -> None:
    """A source that moved on without its history is noticed."""
    with pytest.raises(InternalError):
        edit.undo(dict(TREE))
