"""Which agents there are."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Agent:
    """One agent: a name to address it by, a purpose, and the tools it may use."""

    name: str
    purpose: str
    tools: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """The agent as clients see it."""
        return {"name": self.name, "purpose": self.purpose, "tools": list(self.tools)}


AGENTS = (
    Agent("assistant", "answers everyday questions", ("calculator", "word_statistics")),
    Agent("analyst", "looks through a conversation", ("thread_search", "word_statistics")),
)

DEFAULT_AGENT = AGENTS[0]


def agent_named(name: str) -> Agent | None:
    """The agent of that name, if there is one."""
    return next((agent for agent in AGENTS if agent.name == name), None)
