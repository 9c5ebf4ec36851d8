"""The last commits: small things on top of the consolidations, none of which looks at the chat again."""

from __future__ import annotations

from goldenpath_loop.demo.edits import Added, Lines, Part, Swept, Was
from goldenpath_loop.demo.history import Step

__all__ = ["SETTLING"]

INDEX = "tests/e2e/TEST_INDEX.md"

SETTLING = (
    Step("aiko", "Document how services stop", (Part("docs/operations.md", "## Stopping"),)),
    Step(
        "mara",
        "Release 1.5.0",
        (
            Was("chatlib/version.py", '"1.5.0"', '"1.4.0"'),
            Part("CHANGELOG.md", "## 1.5.0", "## 1.4.0"),
        ),
    ),
    Step(
        "jonas",
        "User names do not depend on case",
        (
            Was(
                "auth/accounts.py",
                "            (user.lower(), salt, digest",
                "            (user, salt, digest",
            ),
            Was("auth/accounts.py", 'user = ?", (user.lower(),)', 'user = ?", (user,)'),
        ),
    ),
    Step(
        "aiko",
        "Edge: limit the length of bodies",
        (
            Part("edge/forward.py", "async def bounded_body(", "async def forward("),
            Lines("edge/forward.py", "MAX_BODY_BYTES = 64 * 1024"),
            Was(
                "edge/forward.py",
                """    body = await bounded_body(request)
    if body is None:
        return refuse(413, "body_too_long", f"a body has at most {MAX_BODY_BYTES} bytes")

""",
                "    body = await request.body()\n",
            ),
        ),
    ),
    Step("priya", "E2E: too much is refused politely", (Added("tests/e2e/test_limits.py"),)),
    Step(
        "tomas",
        "Calculator: tell a division by zero",
        (
            Was(
                "backend/agents/tools.py",
                """        try:
            return OPERATORS[type(node.op)](evaluate(node.left), evaluate(node.right))
        except ZeroDivisionError as error:
            raise ToolError("division by zero") from error
""",
                """        return OPERATORS[type(node.op)](evaluate(node.left), evaluate(node.right))
""",
            ),
            Was("tests/unit/test_tools.py", '["no numbers here", "1 / 0"]', '["no numbers here"]'),
        ),
    ),
    Step("mara", "README: how to talk to the platform", (Part("README.md", "## Talk to it", "## Test it"),)),
    Step(
        "priya",
        "Find the messages of a thread by an index",
        (
            Lines(
                "backend/store.py",
                "CREATE INDEX IF NOT EXISTS messages_by_thread ON messages (thread_id, id);",
            ),
        ),
    ),
    Step(
        "jonas",
        "Give every token an id",
        (Lines("auth/tokens.py", "import uuid", '            "jti": uuid.uuid4().hex,'),),
    ),
    Step(
        "aiko",
        "Edge: pass cookies and request ids on to sockets",
        (Was("edge/tunnel.py", '("authorization", "cookie", "x-request-id")', '("authorization",)'),),
    ),
    Step("priya", "E2E: the interface is described", (Added("tests/e2e/test_docs.py"),)),
    Step(
        "priya",
        "Test index: suites for limits and documentation",
        (Part(INDEX, "## P5 Medium-low"),),
    ),
    Step(
        "aiko",
        "Loop: suites for limits and documentation",
        (
            Part("goldenpath.toml", "[suites.limits]", "[focuses.goldenpath]"),
            Lines("goldenpath.toml", "P5 = 0.1", "P6 = 0.2"),
        ),
    ),
    Step(
        "tomas",
        "Thread search: five hits are enough",
        (Was("backend/agents/tools.py", '"hits": hits[-5:]', '"hits": hits'),),
    ),
    Step("mara", "Document pages of a list", (Part("docs/api.md", "## Pages"),)),
    Step(
        "jonas",
        "Verify salted passwords in constant time",
        (
            Was(
                "auth/accounts.py",
                "hmac.compare_digest(row[1], digest(password, row[0]))",
                "row[1] == digest(password, row[0])",
            ),
            Lines("auth/accounts.py", "import hmac"),
        ),
    ),
    Step(
        "priya",
        "Test index: markers of each suite",
        (Swept(rules=((r"^(\|.*\|)[^|]+\|$", r"\1"),), under=(INDEX,)),),
    ),
    Step(
        "aiko",
        "Let open requests finish for two seconds",
        (Lines("chatlib/serve.py", "        timeout_graceful_shutdown=2,"),),
    ),
    Step(
        "mara",
        "CI: say why the E2E suite is not run here",
        (
            Was(
                "ci/run",
                "# What CI runs on every push. The E2E suite needs a deployment and is started by hand\n"
                "# before a release: see docs/releasing.md.\n",
                "# What CI runs on every push.\n",
            ),
            Added("docs/releasing.md"),
        ),
    ),
    Step(
        "aiko",
        "Loop: a focus for a quick look",
        (Part("goldenpath.toml", "[focuses.smoke]", "[focuses.all]"),),
    ),
    Step(
        "mara",
        "Release 1.6.0",
        (
            Was("chatlib/version.py", '"1.6.0"', '"1.5.0"'),
            Part("CHANGELOG.md", "## 1.6.0", "## 1.5.0"),
        ),
    ),
    Step(
        "tomas",
        "README: what the golden path is",
        (Part("README.md", "The golden path:", "## Run it"),),
    ),
)
