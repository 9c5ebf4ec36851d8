"""A name that a change takes away is missed by whoever still uses it, and by nobody else."""

from __future__ import annotations

import pytest

from goldenpath_loop.audit.rules import audit
from goldenpath_loop.audit.source import Version

HAD = "def login(): ...\nTOKEN = 1\ndef kept(): ...\n"
HAS = "def kept(): ...\n"


def _missed(
    before: dict[str, str], after: dict[str, str | None], others: dict[str, str]
) -> list[tuple[str, int, str]]:
    head = {path: text for path, text in after.items() if text is not None} | others
    found = audit(Version(before), Version(head), frozenset(after))
    assert all(issue.rule == "lost-name" for issue in found.issues)
    return [(issue.path, issue.line, issue.message) for issue in found.issues]


def _uses(text: str, *, path: str = "tests/test_auth.py", module: str = "chat/auth.py") -> list[int]:
    """Lines of a file that miss something of `chat/auth.py`, which lost `login` and `TOKEN`."""
    others = {"chat/__init__.py": "", "chat/other.py": "def login(): ...\n", path: text}
    return [line for _, line, _ in _missed({module: HAD}, {module: HAS}, others)]


@pytest.mark.parametrize(
    "text",
    [
        "from chat.auth import login\n",
        "from chat.auth import kept, login as enter\n",
        "from chat.auth import (\n    kept,\n    TOKEN,\n)\n",
        "def test():\n    from chat.auth import login\n",
        "import chat.auth\n\nchat.auth.login()\n",
        "import chat.auth as auth\nauth.login()\n",
        "from chat import auth\nprint(auth.TOKEN)\n",
        "from chat import auth as a\n\ndef test(x):\n    assert a.login(x)\n",
        "import chat\nimport chat.auth\nchat.auth.login.cache_clear()\n",
        "import chat.auth as auth\nauth.login.x = 1\n",
        "async def f():\n    import chat.auth as auth\n    await auth.login()\n",
        "from chat import auth\nclass A(auth.login): ...\n",
        "from chat import auth\n@auth.login\ndef f(): ...\n",
        "from chat import auth\nx = [auth.login(one) for one in y]\n",
        "from chat import auth\nf'{auth.TOKEN}'\n",
        "from unittest.mock import patch\npatch('chat.auth.login')\n",
        "@mock.patch('chat.auth.login', new=f)\ndef test(): ...\n",
        "def test(monkeypatch): monkeypatch.setattr('chat.auth.TOKEN', 2)\n",
        "from chat import auth\ndef test(mocker): mocker.patch.object(auth, 'login')\n",
        "from chat import auth\nmonkeypatch.setattr(auth, 'TOKEN', 2)\n",
        "from chat import auth\ngetattr(auth, 'login')()\n",
        "from chat import auth\ntry:\n    auth.login()\nexcept Exception:\n    pass\n",
        "from chat import auth\nif hasattr(auth, 'other'):\n    pass\nelse:\n    auth.login()\n",
        "from chat import auth\nfor one in y:\n    auth.login()\n",
    ],
)
def test_a_use_of_a_lost_name_is_seen_once(text: str) -> None:
    assert len(_uses(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from chat.auth import kept\n",
        "from chat.other import login\n",
        "from auth import login\n",
        "from elsewhere.auth import login\n",
        "from django.chat.auth import login\n",
        "from chat.auth import *\n",
        "import chat.auth as auth\nauth.kept()\n",
        "import auth\nauth.login()\n",
        "from chat import other as auth\nauth.login()\n",
        "from chat import auth\ndef test(auth):\n    auth.login()\n",
        "from chat import auth\ndef test():\n    auth = Fake()\n    auth.login()\n",
        "from chat import auth\nx = lambda auth: auth.login()\n",
        "from chat import auth\nx = [auth.login for auth in y]\n",
        "from chat import auth\nauth.login = fake\n",
        "from chat import auth\nself.auth.login()\n",
        "try:\n    from chat.auth import login\nexcept ImportError:\n    login = None\n",
        "try:\n    from chat.auth import login\nexcept (KeyError, ModuleNotFoundError):\n    login = None\n",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    from chat.auth import login\n",
        "from chat import auth\ntry:\n    auth.login()\nexcept AttributeError:\n    pass\n",
        "from chat import auth\nwith pytest.raises(AttributeError):\n    auth.login()\n",
        "from chat import auth\nif hasattr(auth, 'login'):\n    auth.login()\n",
        "from chat import auth\nx = auth.login() if hasattr(auth, 'login') else None\n",
        "from chat import auth\ngetattr(auth, 'login', None)\n",
        "patch('chat.auth.login', create=True)\n",
        "monkeypatch.setattr('chat.auth.login', 1, raising=False)\n",
        "print('chat.auth.login')\n",
        "patch('chat auth')\n",
        "# from chat.auth import login\n",
    ],
)
def test_what_is_no_use_of_it_is_left_alone(text: str) -> None:
    assert _uses(text) == []


@pytest.mark.parametrize(
    ("importer", "text"),
    [
        ("chat/app.py", "from .auth import login\n"),
        ("chat/app.py", "from . import auth\nauth.login()\n"),
        ("chat/ws/app.py", "from ..auth import login\n"),
        ("chat/ws/__init__.py", "from ..auth import login\n"),
        ("chat/__init__.py", "from .auth import login\n"),
        ("chat/__init__.py", "from . import auth\nauth.login()\n"),
        ("app.py", "from chat.auth import login\n"),
        ("chat/script.py", "from auth import login\n"),
        ("chat/script.py", "import auth\nauth.login()\n"),
    ],
)
def test_relative_imports_and_neighbours_are_understood(importer: str, text: str) -> None:
    assert len(_uses(text, path=importer)) == 1


@pytest.mark.parametrize("root", ["src/", "services/backend/", ""])
def test_the_folder_that_python_searches_need_not_be_known(root: str) -> None:
    assert len(_uses("from chat.auth import login\n", module=f"{root}chat/auth.py")) == 1


def test_a_module_of_the_same_name_that_is_whole_is_taken_to_be_meant() -> None:
    others = {"b/chat/auth.py": HAD, "tests/test_a.py": "from chat.auth import login\n"}

    assert _missed({"a/chat/auth.py": HAD}, {"a/chat/auth.py": HAS}, others) == []


def test_one_thing_missed_often_is_one_issue_at_its_first_use() -> None:
    text = "from chat import auth\n\nauth.login()\nauth.login()\nauth.TOKEN\nauth.login()\n"

    assert sorted(_uses(text)) == [3, 5]


def test_the_message_says_what_is_missed_from_where() -> None:
    text = "from chat import auth\nfrom chat.auth import TOKEN\nauth.login()\n"

    messages = [
        message for *_, message in _missed({"chat/auth.py": HAD}, {"chat/auth.py": HAS}, {"t.py": text})
    ]

    assert messages == [
        "it imports TOKEN, which chat/auth.py does not have any more",
        "it uses login, which chat/auth.py does not have any more",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import chat.auth\n",
        "import chat.auth as a\na.login()\n",
        "from chat import auth\nauth.login()\n",
        "from chat.auth import login\n",
        "from chat.auth import *\n",
        "patch('chat.auth.login')\n",
    ],
)
def test_a_module_that_is_gone_is_missed_where_it_is_imported(text: str) -> None:
    others = {"chat/__init__.py": "", "t.py": text}

    (found,) = _missed({"chat/auth.py": HAD}, {"chat/auth.py": None}, others)

    assert found == ("t.py", 1, "it imports chat/auth.py, which is not there any more")


@pytest.mark.parametrize(
    ("after", "others"),
    [
        ({"chat/auth.py": None, "chat/auth/__init__.py": HAD}, {}),
        (
            {
                "chat/auth.py": None,
                "chat/auth/__init__.py": "from .flow import login\nTOKEN = 1\ndef kept(): ...",
            },
            {"chat/auth/flow.py": HAD},
        ),
        ({"chat/auth.py": "from .base import *\n"}, {"chat/base.py": HAD}),
        ({"chat/auth.py": "def __getattr__(name): ...\n"}, {}),
        ({"chat/auth.py": "if x:\n    def login(): ...\nelse:\n    login = None\n"}, {}),
        ({"chat/auth.py": "try:\n    from a import login\nexcept ImportError:\n    def login(): ...\n"}, {}),
        ({"chat/auth.py": "def setup():\n    global login\n    login = 1\n"}, {}),
        ({"chat/auth.py": "with x as login: ...\n"}, {}),
        ({"chat/auth.py": "for login in x: ...\n"}, {}),
        ({"chat/auth.py": "(kept, [login, *rest]) = x\n"}, {}),
        ({"chat/auth.py": "if (login := x): ...\n"}, {}),
        ({"chat/auth.py": "import other.login as login\n"}, {}),
        ({"chat/auth.py": "match x:\n    case {'a': login, **rest}: ...\n"}, {}),
        ({"chat/auth.py": "match x:\n    case [*login]: ...\n"}, {}),
        ({"chat/auth.py": None}, {"chat/__init__.py": "from other import auth\n"}),
    ],
)
def test_a_name_that_is_still_there_in_another_way_is_not_lost(
    after: dict[str, str | None], others: dict[str, str]
) -> None:
    text = "from chat import auth\nauth.login()\n"
    missed = _missed({"chat/auth.py": HAD}, after, {"chat/__init__.py": "", "t.py": text, **others})

    assert [path for path, *_ in missed if path == "t.py"] == []


@pytest.mark.parametrize(
    "after",
    [
        "x = [login for login in y]\n",
        "def f():\n    login = 1\n",
        "class A:\n    login = 1\n",
        "x = lambda login: 1\n",
        "login\n",
    ],
)
def test_a_name_in_another_scope_does_not_replace_it(after: str) -> None:
    text = "from chat.auth import login\n"

    assert len(_missed({"chat/auth.py": HAD}, {"chat/auth.py": after}, {"t.py": text})) == 1


def test_a_submodule_is_no_lost_name_of_its_package() -> None:
    before = {"chat/__init__.py": "from . import auth\nfrom .auth import login\n"}
    after: dict[str, str | None] = {"chat/__init__.py": ""}
    others = {"chat/auth.py": HAD, "t.py": "from chat import auth\nauth.login()\nfrom chat import login\n"}

    assert [line for _, line, _ in _missed(before, after, others)] == [3]


def test_a_name_handed_on_by_star_is_missed_at_the_end_of_the_chain() -> None:
    others = {
        "chat/__init__.py": "from .auth import *\n",
        "chat/api.py": "from chat import *\ndef kept(): ...\n",
        "a.py": "from chat import login\n",
        "b.py": "from chat.api import login, kept\n",
        "c.py": "from chat.whole import login\n",
        "chat/whole.py": "from .auth import *\ndef login(): ...\n",
        "broken.py": "import * from\n",
    }

    assert [path for path, *_ in _missed({"chat/auth.py": HAD}, {"chat/auth.py": HAS}, others)] == [
        "a.py",
        "b.py",
    ]


def test_a_name_only_moved_to_another_module_is_missed_by_who_was_not_told() -> None:
    others = {"a.py": "from chat.auth import login\n", "b.py": "from chat.flow import login\n"}
    after: dict[str, str | None] = {"chat/auth.py": HAS, "chat/flow.py": HAD}

    assert [path for path, *_ in _missed({"chat/auth.py": HAD}, after, others)] == ["a.py"]


def test_protected_tests_that_rest_on_what_a_revert_takes_back_are_named() -> None:
    others = {
        "tests/e2e/test_chat.py": "from chat.auth import login\n\ndef test(): login()\n",
        "chat/__init__.py": "",
    }

    assert _missed({"chat/auth.py": HAD}, {"chat/auth.py": HAS}, others) == [
        ("tests/e2e/test_chat.py", 1, "it imports login, which chat/auth.py does not have any more")
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [("x = (", HAS), (HAD, "x = ("), (HAD, HAD + "\nnew = 1\n"), ("", HAS)],
)
def test_what_cannot_be_compared_or_loses_nothing_takes_nothing_away(before: str, after: str) -> None:
    found = audit(
        Version({"chat/auth.py": before}),
        Version({"chat/auth.py": after, "t.py": "from chat.auth import login\n"}),
        frozenset({"chat/auth.py"}),
    )
    assert [issue for issue in found.issues if issue.rule == "lost-name"] == []


def test_a_module_at_the_top_is_found_from_everywhere() -> None:
    others = {"deep/down/t.py": "import auth\nauth.login()\n", "src/x.py": "from auth import TOKEN\n"}

    assert len(_missed({"auth.py": HAD}, {"auth.py": HAS}, others)) == 2


def test_an_import_that_climbs_out_of_the_tree_is_nobodys() -> None:
    assert _uses("from ....auth import login\n", path="chat/app.py") == []
