"""Messages of a thread over HTTP."""

import json

from starlette.requests import Request
from starlette.responses import Response

from backend.identity import Unidentified
from backend.limits import MAX_PAGE, MAX_TEXT_CHARS, BadQuery, whole_number
from chatlib.logs import get_logger, record
from chatlib.replies import refuse, reply

log = get_logger("backend")


async def list_messages(request: Request) -> Response:
    """Messages of a thread in order, a page at a time."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    thread = request.app.state.store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")

    try:
        after = whole_number(request, "after", default=0, highest=2**53)
        limit = whole_number(request, "limit", default=MAX_PAGE, highest=MAX_PAGE)
    except BadQuery as bad:
        return refuse(422, "bad_query", str(bad))

    messages = request.app.state.store.messages(thread["id"], after, limit)
    return reply({"messages": messages, "count": len(messages)})


async def add_message(request: Request) -> Response:
    """Leave a message in a thread without waking an agent."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    thread = request.app.state.store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")

    try:
        text = str((await request.json())["text"]).strip()
    except (json.JSONDecodeError, KeyError, TypeError):
        text = ""
    if not text:
        return refuse(422, "missing_text", "a message needs a text")
    if len(text) > MAX_TEXT_CHARS:
        return refuse(422, "text_too_long", f"a message has at most {MAX_TEXT_CHARS} characters")

    message = request.app.state.store.add_message(thread["id"], "user", text)
    record(log, "message.added", thread=thread["id"], message=message["id"])
    return reply(message, status=201)
