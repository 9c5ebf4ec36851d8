"""The middle of the history: the E2E suites, many small features, and the consolidations."""

from __future__ import annotations

from goldenpath_loop.demo.chronicle import consolidations
from goldenpath_loop.demo.edits import Added, Lines, Part, Was
from goldenpath_loop.demo.history import Step

__all__ = ["GROWING"]

GROWING = (
    Step("mara", "Describe the architecture", (Added("docs/architecture.md"),)),
    Step(
        "priya",
        "Start an E2E suite: the critical path",
        (
            Added("tests/e2e/conftest.py", "tests/e2e/test_critical_path.py"),
            Part("pytest.ini", "addopts"),
        ),
    ),
    Step(
        "priya",
        "E2E: what the product does not exist without",
        (Added("tests/e2e/test_priority1_critical.py"),),
    ),
    Step("tomas", "E2E: the events of an agent run", (Added("tests/e2e/test_websocket_events.py"),)),
    Step(
        "aiko",
        "Answer an upgrade where nothing upgrades\n\n"
        "The server closed such handshakes with a bare 403, and people went looking for a wrong token.\n"
        "A wrong path is a 404 now.",
        (
            Added("chatlib/upgrade.py"),
            Lines("backend/app.py", "from chatlib.upgrade import UpgradeFallback"),
            Was("backend/app.py", "def create_app() -> UpgradeFallback:", "def create_app() -> Starlette:"),
            Was("backend/app.py", "    return UpgradeFallback(app)\n", "    return app\n"),
        ),
    ),
    Step(
        "priya",
        "Rename and delete threads",
        (
            Part("backend/threads.py", "async def rename_thread("),
            Part("backend/store.py", "    def rename_thread(", "    def add_message("),
            Part("tests/unit/test_store.py", "def test_messages_go_with_their_thread("),
            Lines(
                "backend/app.py",
                '        Route("/api/threads/{thread_id}", rename_thread, methods=["PATCH"]),',
                '        Route("/api/threads/{thread_id}", delete_thread, methods=["DELETE"]),',
            ),
            Was(
                "backend/app.py",
                """from backend.threads import (
    create_thread,
    delete_thread,
    list_threads,
    read_thread,
    rename_thread,
)
""",
                "from backend.threads import create_thread, list_threads, read_thread\n",
            ),
        ),
    ),
    Step(
        "priya",
        "Read long threads a page at a time",
        (
            Part("backend/limits.py", "class BadQuery("),
            Lines("backend/limits.py", "MAX_PAGE = 100"),
            Was("backend/limits.py", "from starlette.requests import Request\n\n", ""),
            Was(
                "backend/messages.py",
                "from backend.limits import MAX_PAGE, MAX_TEXT_CHARS, BadQuery, whole_number\n",
                "from backend.limits import MAX_TEXT_CHARS\n",
            ),
            Was(
                "backend/messages.py",
                """    try:
        after = whole_number(request, "after", default=0, highest=2**53)
        limit = whole_number(request, "limit", default=MAX_PAGE, highest=MAX_PAGE)
    except BadQuery as bad:
        return problem(422, "bad_query", str(bad))

    messages = request.app.state.store.messages(thread["id"], after, limit)
""",
                """    messages = request.app.state.store.messages(thread["id"])
""",
            ),
        ),
    ),
    Step("priya", "E2E: messages come in and are found again", (Added("tests/e2e/test_message_flow.py"),)),
    Step(
        "jonas",
        "Take tokens from a subprotocol\n\nBrowsers cannot set headers on a WebSocket.",
        (
            Lines("backend/identity.py", 'TOKEN_PROTOCOL = "jwt."'),
            Part("backend/identity.py", '    offered = connection.headers.get("Sec', '    return ""'),
            Was(
                "backend/identity.py",
                '"""The token of a request, from its header or, for browsers, from a subprotocol."""',
                '"""The token in the header of a request."""',
            ),
        ),
    ),
    Step("tomas", "E2E: agents work and use their tools", (Added("tests/e2e/test_agent_pipeline.py"),)),
    Step(
        "aiko",
        "Give every request an id",
        (
            Added("chatlib/request_id.py"),
            *(
                Lines(
                    path,
                    "from chatlib.request_id import RequestId",
                    "        middleware=[Middleware(RequestId)],",
                )
                for path in ("auth/app.py", "backend/app.py", "edge/app.py")
            ),
            *(
                Lines(path, "from starlette.middleware import Middleware")
                for path in ("auth/app.py", "backend/app.py", "edge/app.py")
            ),
        ),
    ),
    Step(
        "mara",
        "Consolidate types of request handlers\n\n"
        "Every handler says that it gives a Response, so that the checker sees one that does not.",
        consolidations.TYPES,
    ),
    Step(
        "jonas",
        "Auth: list the ways to log in",
        (
            Part("auth/app.py", "async def providers(", "def create_app("),
            Lines("auth/app.py", '            Route("/providers", providers),'),
        ),
    ),
    Step("jonas", "E2E: login and tokens", (Added("tests/e2e/test_auth_routes.py"),)),
    Step("aiko", "E2E: the edge reaches what is behind it", (Added("tests/e2e/test_connectivity.py"),)),
    Step(
        "mara",
        "Consolidate error answers\n\n"
        "A problem was sometimes an error and sometimes a refusal. The service refuses, under one name.",
        consolidations.ERRORS,
    ),
    Step(
        "mara",
        "Give errors of the framework our own shape",
        (
            Part("backend/app.py", "async def http_error(", "def routes("),
            Lines(
                "backend/app.py",
                "from starlette.exceptions import HTTPException",
                "from starlette.requests import Request",
                "from starlette.responses import Response",
                "from chatlib.replies import refuse",
                "        exception_handlers={HTTPException: http_error},",
            ),
        ),
    ),
    Step(
        "mara",
        "Describe the interface as OpenAPI",
        (
            Added("backend/docs.py"),
            Lines(
                "backend/app.py",
                "from backend.docs import docs_page, openapi",
                '        Route("/openapi.json", openapi),',
                '        Route("/docs", docs_page),',
            ),
        ),
    ),
    Step(
        "tomas",
        "Consolidate answers into one reply\n\n"
        "json_ok and json_created differed in a number. The number is an argument now.",
        consolidations.ANSWERS,
    ),
    Step(
        "priya",
        "E2E: nobody sees what belongs to somebody else",
        (Added("tests/e2e/test_user_isolation.py"),),
    ),
    Step("priya", "An index of the E2E suites, with what each protects", (Added("tests/e2e/TEST_INDEX.md"),)),
    Step(
        "aiko",
        "Say nothing about handshakes that were refused properly",
        (
            Part("chatlib/serve.py", "def is_worth_a_line(", "def serve("),
            Lines("chatlib/serve.py", '    logging.getLogger("uvicorn.error").addFilter(is_worth_a_line)'),
            Lines("chatlib/serve.py", "import logging"),
        ),
    ),
    Step("aiko", "Release 1.4.0", (Was("chatlib/version.py", '"1.4.0"', '"1.2.0"'), Added("CHANGELOG.md"))),
    Step(
        "jonas",
        "Consolidate the logging helper\n\nIt records; log_event sounded like the logarithm of something.",
        consolidations.LOGS,
    ),
    Step(
        "tomas",
        "A message may name its agent",
        (
            Was(
                "backend/agents/run.py",
                '    agent = agent_named(str(message.get("agent", ""))) or DEFAULT_AGENT\n',
                "    agent = DEFAULT_AGENT\n",
            ),
            Was(
                "backend/agents/run.py",
                "from backend.agents.catalogue import DEFAULT_AGENT, Agent, agent_named\n",
                "from backend.agents.catalogue import DEFAULT_AGENT, Agent\n",
            ),
            Part(
                "tests/e2e/test_agent_pipeline.py", "    def test_choice_of_agent(", "    def test_lifecycle_"
            ),
        ),
    ),
    Step("mara", "Document the interface", (Added("docs/api.md"),)),
    Step("tomas", "Document the events", (Added("docs/events.md"),)),
    Step(
        "mara",
        "Edge: a front page",
        (
            Added("edge/landing.py"),
            Lines("edge/app.py", "from edge.landing import landing", '            Route("/", landing),'),
        ),
    ),
    Step("priya", "E2E: what clients find out without logging in", (Added("tests/e2e/test_discovery.py"),)),
    Step("aiko", "Describe staging to the remediation loop", (Added("goldenpath.toml"),)),
    Step(
        "tomas",
        "Consolidate event names and the event envelope\n\n"
        "Chat events and log events were named in two ways, and any caller could put any field into an\n"
        "event. The names are constants now, log events use dots, and the envelope knows its fields.",
        consolidations.EVENTS,
    ),
    Step("aiko", "Document settings and health for operators", (Added("docs/operations.md"),)),
    Step(
        "jonas",
        "WIP: export of threads",
        (
            Lines(
                "backend/app.py",
                "from backend.export import export_thread",
                '        Route("/api/threads/{thread_id}/export", export_thread),',
            ),
        ),
    ),
    Step(
        "jonas",
        "Add the export itself\n\nThe last commit left the new file behind.",
        (
            Added("backend/export.py"),
            Lines("docs/api.md", "| `GET /api/threads/{id}/export` | the thread as Markdown |"),
        ),
    ),
    Step(
        "mara",
        "Consolidate paths and route registration\n\n"
        "Paths stood in routes, callers, answers and docstrings. They have one home now, chatlib/paths.py,\n"
        "and all routes of the backend are registered in the same way. The chat service describes itself.",
        consolidations.PATHS,
    ),
)
