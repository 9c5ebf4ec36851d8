"""The first commits: three services that start, answer, and let people chat."""

from __future__ import annotations

from goldenpath_loop.demo.edits import Added, Lines, Part, Was
from goldenpath_loop.demo.history import Step

__all__ = ["FOUNDING"]

FOUNDING = (
    Step("mara", "Start the repository", (Added(".gitignore", "README.md", "requirements.txt"),)),
    Step("mara", "One version for all services", (Added("chatlib/__init__.py", "chatlib/version.py"),)),
    Step("tomas", "Read settings from the environment", (Added("chatlib/settings.py"),)),
    Step("tomas", "Log one line a happening", (Added("chatlib/logs.py"),)),
    Step("priya", "Set up ruff and pytest", (Added("ruff.toml", "pytest.ini", "requirements-dev.txt"),)),
    Step("mara", "Two shapes of an answer: content or error", (Added("chatlib/replies.py"),)),
    Step("jonas", "Keep accounts with salted passwords", (Added("auth/__init__.py", "auth/accounts.py"),)),
    Step(
        "jonas",
        "Issue and verify signed tokens\n\nOnly auth knows the secret; the other services ask it.",
        (Added("auth/tokens.py", "tests/unit/test_tokens.py"),),
    ),
    Step(
        "aiko",
        "Tell the served revision from the tree\n\n"
        "A setting would say what somebody meant to deploy. The tree says what runs.",
        (Added("chatlib/revision.py"),),
    ),
    Step("aiko", "Answer health with dependencies and uptime", (Added("chatlib/health.py"),)),
    Step(
        "tomas",
        "Start a service and stop it on SIGTERM",
        (Added("chatlib/serve.py"),),
    ),
    Step("jonas", "Auth: log in", (Added("auth/__main__.py", "auth/app.py"),)),
    Step(
        "jonas",
        "Auth: verify a token",
        (
            Part("auth/app.py", "async def verify(", "def create_app("),
            Lines("auth/app.py", '            Route("/verify", verify),'),
            Was(
                "auth/app.py",
                "from auth.tokens import InvalidToken, Tokens\n",
                "from auth.tokens import Tokens\n",
            ),
        ),
    ),
    Step(
        "priya",
        "Backend: a store for threads and messages",
        (Added("backend/__init__.py", "backend/store.py", "tests/unit/test_store.py"),),
    ),
    Step(
        "priya",
        "Backend: ask auth who is calling",
        (
            Added("backend/identity.py"),
            Part("chatlib/settings.py", "def base_url(", "def port("),
        ),
    ),
    Step(
        "priya",
        "Backend: start, and answer health",
        (
            Added("backend/__main__.py", "backend/app.py"),
            Part("chatlib/settings.py", "def optional(", "def base_url("),
        ),
    ),
    Step(
        "aiko",
        "Edge: one address in front of the services",
        (
            Added(
                "edge/__init__.py", "edge/__main__.py", "edge/app.py", "edge/forward.py", "edge/upstreams.py"
            ),
            Added("tests/unit/test_upstreams.py"),
        ),
    ),
    Step("mara", "Run the unit tests in CI", (Added("ci/run"),)),
    Step(
        "priya",
        "Backend: threads",
        (
            Added("backend/threads.py", "backend/limits.py"),
            Part("backend/app.py", "from backend.threads import", "from chatlib"),
            Lines(
                "backend/app.py",
                '        Route("/api/threads", list_threads),',
                '        Route("/api/threads", create_thread, methods=["POST"]),',
                '        Route("/api/threads/{thread_id}", read_thread),',
            ),
        ),
    ),
    Step(
        "priya",
        "Backend: messages of a thread",
        (
            Added("backend/messages.py"),
            Lines("backend/limits.py", "MAX_TEXT_CHARS = 4000"),
            Lines(
                "backend/app.py",
                "from backend.messages import add_message, list_messages",
                '        Route("/api/threads/{thread_id}/messages", list_messages),',
                '        Route("/api/threads/{thread_id}/messages", add_message, methods=["POST"]),',
            ),
        ),
    ),
    Step(
        "tomas",
        "Agents and the tools they use",
        (
            Added("backend/agents/__init__.py", "backend/agents/catalogue.py", "backend/agents/tools.py"),
            Added("tests/unit/test_tools.py"),
        ),
    ),
    Step(
        "aiko",
        "Count runs and events",
        (
            Added("backend/metrics.py"),
            Lines(
                "backend/app.py",
                "from backend.metrics import PipelineMetrics, pipeline_metrics",
                '        Route("/api/metrics/pipeline", pipeline_metrics),',
                "    app.state.metrics = PipelineMetrics()",
            ),
        ),
    ),
    Step(
        "tomas",
        "Tell an agent run as five events",
        (Added("backend/events.py", "backend/agents/run.py"),),
    ),
    Step(
        "tomas",
        "Backend: the chat socket",
        (
            Added("backend/chat.py", "tests/unit/test_chat_messages.py"),
            Was(
                "backend/app.py",
                "from starlette.routing import BaseRoute, Route, WebSocketRoute\n",
                "from starlette.routing import BaseRoute, Route\n",
            ),
            Lines("backend/limits.py", "MAX_TURNS = 20"),
            Part("chatlib/logs.py", "def fail("),
            Lines(
                "backend/app.py",
                "from backend.chat import chat_endpoint",
                '        WebSocketRoute("/ws/chat", chat_endpoint),',
            ),
        ),
    ),
    Step(
        "aiko",
        "Edge: carry WebSockets, and refusals as they are",
        (
            Added("edge/tunnel.py"),
            Part("chatlib/logs.py", "def warn(", "def fail("),
            Was("edge/app.py", "import Route, WebSocketRoute\n", "import Route\n"),
            Lines(
                "edge/app.py",
                "from edge.tunnel import tunnel",
                '            WebSocketRoute("/{path:path}", tunnel),',
            ),
        ),
    ),
    Step(
        "mara",
        "Let clients discover services, agents and tools",
        (
            Added("backend/discovery.py"),
            Lines(
                "backend/app.py",
                "from backend.discovery import list_agents, mcp_config, mcp_servers, read_agent, services",
                '        Route("/api/discovery/services", services),',
                '        Route("/api/mcp/config", mcp_config),',
                '        Route("/api/mcp/servers", mcp_servers),',
                '        Route("/api/agents", list_agents),',
                '        Route("/api/agents/{name}", read_agent),',
            ),
        ),
    ),
    Step(
        "mara",
        "Release 1.2.0",
        (Was("chatlib/version.py", '"1.2.0"', '"0.1.0"'),),
    ),
)
