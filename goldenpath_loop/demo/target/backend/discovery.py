"""What there is: services, tool servers, agents."""

from starlette.requests import Request
from starlette.responses import Response

from backend.agents.catalogue import AGENTS, agent_named
from backend.agents.tools import TOOLS
from backend.events import KINDS
from backend.limits import MAX_TURNS
from chatlib import paths
from chatlib.replies import refuse, reply
from chatlib.version import VERSION


async def services(request: Request) -> Response:
    """The services of the platform and where a client finds them."""
    return reply(
        {
            "services": [
                {"name": "edge", "kind": "proxy", "health": paths.HEALTH},
                {"name": "backend", "kind": "api", "health": paths.API_HEALTH},
                {"name": "auth", "kind": "identity", "health": "/auth" + paths.HEALTH},
            ],
            "version": VERSION,
        }
    )


async def mcp_config(request: Request) -> Response:
    """How a client reaches the agents: transport, subprotocol, events, turns of one socket."""
    return reply(
        {
            "transport": "websocket",
            "url": paths.CHAT,
            "subprotocols": ["chat.v1"],
            "events": list(KINDS),
            "turns": MAX_TURNS,
        }
    )


async def mcp_servers(request: Request) -> Response:
    """The tool servers, with the tools of each."""
    tools = [{"name": name, "purpose": tool.purpose} for name, tool in TOOLS.items()]
    return reply({"servers": [{"name": "builtin", "status": "connected", "tools": tools}]})


async def list_agents(request: Request) -> Response:
    """All agents, by name."""
    return reply({"agents": [agent.describe() for agent in AGENTS]})


async def read_agent(request: Request) -> Response:
    """One agent."""
    agent = agent_named(request.path_params["name"])
    if agent is None:
        return refuse(404, "no_such_agent", "there is no such agent")
    return reply(agent.describe())
