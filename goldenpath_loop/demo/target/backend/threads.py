"""Threads over HTTP."""

import json

from starlette.requests import Request
from starlette.responses import Response

from backend.identity import Unidentified
from backend.limits import MAX_TITLE_CHARS
from chatlib.logs import get_logger, record
from chatlib.replies import refuse, reply

log = get_logger("backend")


async def title_of(request: Request) -> str:
    """The title in a request's body, or nothing when there is no usable one."""
    try:
        title = (await request.json())["title"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return ""
    return title.strip()[:MAX_TITLE_CHARS] if isinstance(title, str) else ""


async def list_threads(request: Request) -> Response:
    """All threads of the caller, newest first."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    threads = request.app.state.store.threads(user)
    return reply({"threads": threads, "count": len(threads)})


async def create_thread(request: Request) -> Response:
    """Open a thread with a title."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    title = await title_of(request)
    if not title:
        return refuse(422, "missing_title", "a thread needs a title")

    thread = request.app.state.store.create_thread(user, title)
    record(log, "thread.created", thread=thread["id"])
    return reply(thread, status=201)


async def read_thread(request: Request) -> Response:
    """One thread of the caller."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    thread = request.app.state.store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")
    return reply(thread)


async def rename_thread(request: Request) -> Response:
    """Give one thread of the caller another title."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    thread = request.app.state.store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")

    title = await title_of(request)
    if not title:
        return refuse(422, "missing_title", "a thread needs a title")

    request.app.state.store.rename_thread(thread["id"], title)
    record(log, "thread.renamed", thread=thread["id"])
    return reply({**thread, "title": title})


async def delete_thread(request: Request) -> Response:
    """Remove one thread of the caller with its messages."""
    try:
        user = await request.app.state.identity.user_of(request)
    except Unidentified as refusal:
        return refusal.answer

    thread = request.app.state.store.thread(user, request.path_params["thread_id"])
    if thread is None:
        return refuse(404, "no_such_thread", "there is no such thread")

    request.app.state.store.delete_thread(thread["id"])
    record(log, "thread.deleted", thread=thread["id"])
    return reply({"deleted": thread["id"]})
