"""The large commits that do one thing in many places."""

from __future__ import annotations

from goldenpath_loop.demo.edits import Edit, Inlined, Lines, Part, Swept, Was

__all__ = ["ANSWERS", "ERRORS", "EVENTS", "LOGS", "PATHS", "TYPES"]

SERVICES = ("auth/", "backend/", "chatlib/", "edge/")

TYPES: tuple[Edit, ...] = (
    Swept(
        rules=((r"^( *async def \w+\((?:self, )?request: Request\)) -> Response:", r"\1:"),),
        under=SERVICES,
    ),
    Swept(
        rules=((r"^from starlette\.responses import Response\n", ""),),
        under=(
            "auth/app.py",
            "backend/discovery.py",
            "backend/messages.py",
            "backend/metrics.py",
            "backend/threads.py",
            "chatlib/health.py",
        ),
    ),
)

ERRORS: tuple[Edit, ...] = (Swept(rules=((r"\brefuse\b", "problem"),), under=SERVICES),)

ANSWERS: tuple[Edit, ...] = (
    Was(
        "chatlib/replies.py",
        '''def json_ok(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with JSON content."""
    return JSONResponse(content, status_code=status, headers=headers)
''',
        '''def json_ok(content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with JSON content."""
    return JSONResponse(content, headers=headers)


def json_created(content: Any) -> Response:
    """The answer to a request that made something."""
    return JSONResponse(content, status_code=201)
''',
    ),
    Swept(
        rules=((r"^(from chatlib\.replies import .*)\brefuse, reply$", r"\1json_ok, refuse"),), under=SERVICES
    ),
    Swept(
        rules=(
            (
                r"^from chatlib\.replies import refuse, reply$",
                "from chatlib.replies import json_created, json_ok, refuse",
            ),
        ),
        under=("backend/messages.py", "backend/threads.py"),
    ),
    Swept(
        rules=(
            (r"\breply\((.*), status=201\)", r"json_created(\1)"),
            (r"\breply(?=\()", "json_ok"),
            (r"\bimport reply$", "import json_ok"),
        ),
        under=SERVICES,
    ),
)

LOGS: tuple[Edit, ...] = (Swept(rules=((r"\brecord\b", "log_event"),), under=SERVICES),)

EVENT_NAMES = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")

EVENT_FIELDS = 'EVENT_FIELDS = ("agent", "detail", "tool_name", "arguments", "results", "response")\n\n'

EVENTS: tuple[Edit, ...] = (
    Swept(
        rules=(
            (r'\b(record|fail)\((.+?), "(\w+)\.(\w+)"', r'\1(\2, "\3-\4"'),
            (r'^( +"tunnel)\.(late",)$', r"\1-\2"),
        ),
        under=SERVICES,
    ),
    Swept(
        rules=tuple((rf"\b{name.upper()}\b", f'"{name}"') for name in EVENT_NAMES),
        under=("backend/agents/run.py", "backend/events.py", "backend/metrics.py"),
    ),
    Was(
        "backend/agents/run.py",
        """from backend.events import (
    AGENT_COMPLETED,
    AGENT_STARTED,
    AGENT_THINKING,
    TOOL_COMPLETED,
    TOOL_EXECUTING,
    Run,
    envelope,
)
""",
        "from backend.events import Run, envelope\n",
    ),
    Lines("backend/metrics.py", "from backend.events import AGENT_COMPLETED, AGENT_STARTED"),
    Part("backend/events.py", "AGENT_STARTED =", "KINDS"),
    Was("backend/events.py", EVENT_FIELDS, ""),
    Was(
        "backend/events.py",
        "    event.update((name, fields[name]) for name in EVENT_FIELDS if name in fields)\n",
        "    event.update(fields)\n",
    ),
    Part("docs/events.md", "## Log events"),
)

# Path, first words of a docstring, and the path of the platform that used to stand before them.
REPEATED_PATHS = (
    ("auth/app.py", "A token for a user", "POST /login"),
    ("auth/app.py", "Whom the bearer token", "GET /verify"),
    ("auth/app.py", "How people can log in", "GET /providers"),
    ("backend/discovery.py", "The services of the platform and", "GET /api/discovery/services"),
    ("backend/discovery.py", "How a client reaches", "GET /api/mcp/config"),
    ("backend/discovery.py", "The tool servers, with", "GET /api/mcp/servers"),
    ("backend/discovery.py", "All agents, by name", "GET /api/agents"),
    ("backend/discovery.py", "One agent.", "GET /api/agents/{name}"),
    ("backend/docs.py", "This interface in the form", "GET /openapi.json"),
    ("backend/docs.py", "The same as a page", "GET /docs"),
    ("backend/export.py", "One thread of the caller as", "GET /api/threads/{thread_id}/export"),
    ("backend/messages.py", "Messages of a thread in order", "GET /api/threads/{id}/messages"),
    ("backend/messages.py", "Leave a message in a thread", "POST /api/threads/{id}/messages"),
    ("backend/metrics.py", "Counts of runs and of events", "GET /api/metrics/pipeline"),
    ("backend/threads.py", "All threads of the caller", "GET /api/threads"),
    ("backend/threads.py", "Open a thread with a title", "POST /api/threads"),
    ("backend/threads.py", "One thread of the caller.", "GET /api/threads/{thread_id}"),
    ("backend/threads.py", "Give one thread", "PATCH /api/threads/{thread_id}"),
    ("backend/threads.py", "Remove one thread", "DELETE /api/threads/{thread_id}"),
    ("chatlib/health.py", "Everything an operator asks first", "GET /health"),
    ("chatlib/health.py", "Only that the process answers", "GET /health/live"),
)

PATHS: tuple[Edit, ...] = (
    Inlined("chatlib/paths.py", importing="from chatlib import paths", under=SERVICES),
    Was(
        "backend/identity.py",
        """            answer = await self.client.get(
                paths.VERIFY, headers={"Authorization": f"Bearer {token}"}
            )
""",
        """            answer = await self.client.get("/verify", headers={"Authorization": f"Bearer {token}"})
""",
    ),
    Was("backend/discovery.py", '"/auth" + paths.HEALTH', '"/auth/health"'),
    Part("backend/chat.py", "async def describe_chat(", "async def chat_endpoint("),
    Lines(
        "backend/chat.py",
        "from starlette.requests import Request",
        "from starlette.responses import Response",
        "from chatlib.replies import reply",
    ),
    Lines("backend/app.py", "        Route(paths.CHAT, describe_chat),"),
    Was("backend/app.py", "import chat_endpoint, describe_chat\n", "import chat_endpoint\n"),
    Was(
        "docs/architecture.md", "settings, logs, answers, health, paths.", "settings, logs, answers, health."
    ),
    *(
        Was(path, f'"""{words}', f'"""{repeated}: {words[0].lower()}{words[1:]}')
        for path, words, repeated in REPEATED_PATHS
    ),
)
