"""A model whose provider fails, always or for the first requests of each conversation."""

from __future__ import annotations

import threading
from collections import Counter

from tests.model_server.conversation import Conversation
from tests.model_server.reply import Behaviour, Fault, Reply

__all__ = ["Broken"]


class Broken:
    """Plays one fault.

    A client that tries again sends the same request again, which a conversation alone cannot tell from the
    first try; so tries are counted here, by the brief that opens the conversation.

    Args:
        fault: What goes wrong.
        first: How many requests of each conversation it befalls; None for all.
        then: Who answers afterwards; needed when `first` is set.
    """

    def __init__(self, fault: Fault, *, first: int | None = None, then: Behaviour | None = None) -> None:
        if (first is None) != (then is None):
            raise ValueError("first and then go together")
        self._fault = fault
        self._first = first
        self._then = then
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reply(self, conversation: Conversation) -> Reply:
        """The fault, or what the other model says once it is over."""
        with self._lock:
            self._seen[conversation.brief] += 1
            seen = self._seen[conversation.brief]
        if self._then is None or self._first is None or seen <= self._first:
            return self._fault
        return self._then.reply(conversation)
