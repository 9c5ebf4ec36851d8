"""One agent run: from a message to an answer, told as events."""

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

from starlette.datastructures import State

from backend.agents.catalogue import DEFAULT_AGENT, Agent, agent_named
from backend.agents.tools import TOOLS, ToolError
from backend.events import (
    AGENT_COMPLETED,
    AGENT_STARTED,
    AGENT_THINKING,
    TOOL_COMPLETED,
    TOOL_EXECUTING,
    Run,
    envelope,
)
from chatlib.logs import get_logger, record

log = get_logger("backend")


def choose_tool(agent: Agent, text: str) -> str:
    """The tool for a text: arithmetic goes to the calculator when the agent has one."""
    if "calculator" in agent.tools and re.search(r"\d\s*[+\-*/]\s*\d", text):
        return "calculator"
    return next(name for name in agent.tools if name != "calculator")


def use_tool(name: str, text: str, history: list[str]) -> dict[str, Any]:
    """The results of a tool; a tool that fails says so in its results."""
    try:
        return TOOLS[name].use(text, history)
    except ToolError as error:
        record(log, "tool.failed", tool=name, error=error)
        return {"error": str(error)}


def compose_answer(tool: str, results: dict[str, Any]) -> str:
    """The agent's answer in words."""
    if "error" in results:
        return f"I tried the {tool}, but: {results['error']}."
    if tool == "calculator":
        return f"{results['expression']} is {results['value']}."
    if tool == "thread_search":
        return f"I found {len(results['hits'])} of {results['searched']} messages."
    return f"You wrote {results['words']} words; the longest is {results['longest']!r}."


async def run_agent(
    state: State, thread_id: str, message: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Answer one message; the events are for the client, in this order."""
    text = message["text"].strip()
    agent = agent_named(str(message.get("agent", ""))) or DEFAULT_AGENT
    history = [row["text"] for row in state.store.messages(thread_id)]
    state.store.add_message(thread_id, "user", text)

    run = Run(run_id=uuid.uuid4().hex, thread_id=thread_id)
    tool = choose_tool(agent, text)
    record(log, "run.started", run=run.run_id, agent=agent.name)
    state.metrics.count(AGENT_STARTED)
    yield envelope(run, AGENT_STARTED, agent=agent.name)

    state.metrics.count(AGENT_THINKING)
    yield envelope(run, AGENT_THINKING, agent=agent.name, detail=f"this is one for {tool}")

    state.metrics.count(TOOL_EXECUTING)
    yield envelope(run, TOOL_EXECUTING, tool_name=tool, arguments={"text": text})

    results = use_tool(tool, text, history)
    state.metrics.count(TOOL_COMPLETED)
    yield envelope(run, TOOL_COMPLETED, tool_name=tool, results=results)

    response = compose_answer(tool, results)
    state.store.add_message(thread_id, "assistant", response)
    state.metrics.count(AGENT_COMPLETED)
    record(log, "run.completed", run=run.run_id)
    yield envelope(run, AGENT_COMPLETED, agent=agent.name, response=response)
