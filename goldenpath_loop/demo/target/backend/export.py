"""A whole thread as Markdown, for people who want to keep it."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from backend.identity import Unidentified
from chatlib.logs import get_logger, record
from chatlib.replies import refuse

log = get_logger("backend")


async def export_thread(request: Request) -> Response:
    """One thread of the caller as a Markdown document."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    store = request.app.state.store
    thread = store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")

    parts = [f"# {thread['title']}"]
    parts += [f"**{row['role']}**: {row['text']}" for row in store.messages(thread["id"])]
    record(log, "thread.exported", thread=thread["id"])
    return PlainTextResponse("\n\n".join(parts) + "\n", media_type="text/markdown")
