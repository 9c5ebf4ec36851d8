"""The chat socket: one message in, the events of one agent run out."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.agents.run import run_agent
from backend.events import error_event
from backend.identity import Unidentified
from backend.limits import MAX_TEXT_CHARS, MAX_TITLE_CHARS, MAX_TURNS
from chatlib import paths
from chatlib.logs import fail, get_logger, record
from chatlib.replies import reply

SUBPROTOCOL = "chat.v1"

# What the log calls a message that was refused; written out so that a search finds it here.
REFUSALS = {
    "invalid_json": "message.invalid_json",
    "unknown_type": "message.unknown_type",
    "missing_text": "message.missing_text",
    "text_too_long": "message.text_too_long",
    "no_such_thread": "message.no_such_thread",
}

log = get_logger("backend")


class BadMessage(Exception):
    """The client sent something that is not a chat message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_message(raw: str) -> dict[str, Any]:
    """A chat message out of what came over the socket.

    Raises:
        BadMessage: it is not JSON, of another type, or has no text of a decent length.
    """
    try:
        message = json.loads(raw)
    except json.JSONDecodeError as error:
        raise BadMessage("invalid_json", "a message is a JSON object") from error
    if not isinstance(message, dict) or message.get("type") != "chat":
        raise BadMessage("unknown_type", 'a message has the type "chat"')
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadMessage("missing_text", "a message needs a text")
    if len(text) > MAX_TEXT_CHARS:
        raise BadMessage("text_too_long", f"a text has at most {MAX_TEXT_CHARS} characters")
    return message


def thread_for(websocket: WebSocket, user: str, message: dict[str, Any]) -> str:
    """The thread a message belongs to; a new one when the message names none.

    Raises:
        BadMessage: the thread is not there, or not the user's.
    """
    store = websocket.app.state.store
    wanted = message.get("thread_id")
    if wanted is None:
        return str(store.create_thread(user, message["text"].strip()[:MAX_TITLE_CHARS])["id"])
    if store.thread(user, str(wanted)) is None:
        raise BadMessage("no_such_thread", "there is no such thread")
    return str(wanted)


async def answer_messages(websocket: WebSocket, user: str) -> None:
    """Answer one message after the other until the client leaves or has had all its turns."""
    turn = 1
    while turn <= MAX_TURNS:
        raw = await websocket.receive_text()
        try:
            message = parse_message(raw)
            thread_id = thread_for(websocket, user, message)
        except BadMessage as bad:
            record(log, REFUSALS[bad.code], user=user)
            await websocket.send_json(error_event(bad.code, str(bad)))
            continue
        async for event in run_agent(websocket.app.state, thread_id, message):
            await websocket.send_json(event)
        turn += 1


async def describe_chat(request: Request) -> Response:
    """What the chat service is and where its endpoints are."""
    return reply(
        {
            "service": "chat",
            "status": "operational",
            "subprotocols": [SUBPROTOCOL],
            "endpoints": {"websocket": paths.CHAT, "config": paths.MCP_CONFIG},
        }
    )


async def chat_endpoint(websocket: WebSocket) -> None:
    """Let an identified user talk to the agents."""
    try:
        user = await websocket.app.state.identity.user_of(websocket)
    except Unidentified as refusal:
        record(log, "chat.refused", status=refusal.status)
        await websocket.send_denial_response(refusal.answer)
        return

    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    record(log, "chat.opened", user=user)
    try:
        await answer_messages(websocket, user)
        await websocket.close()
        record(log, "chat.closed", user=user, code=1000)
    except WebSocketDisconnect as left:
        record(log, "chat.closed", user=user, code=left.code)
    except Exception:
        fail(log, "chat.failed", user=user)
        await websocket.close(code=1011)
