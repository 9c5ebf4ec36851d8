"""A model that reads what it is given and reasons by general rules, and says so when these are not enough."""

from __future__ import annotations

import re

from tests.model_server.behaviours.analyst import analyse
from tests.model_server.behaviours.fixer import repair
from tests.model_server.behaviours.sceptic import doubt
from tests.model_server.conversation import Conversation
from tests.model_server.plan import Plan, follow
from tests.model_server.reply import Reply
from tests.model_server.schema import properties_of

__all__ = ["Competent"]


class Competent:
    """Knows which work it is given by the brief's headline.

    Args:
        tries_per_turn: Patches that are put to `try_patch` in one turn.
    """

    def __init__(self, tries_per_turn: int = 1) -> None:
        self._tries = tries_per_turn

    def reply(self, conversation: Conversation) -> Reply:
        """The next calls, or the answer."""
        return follow(self._plan(conversation), conversation, per_turn=max(8, self._tries))

    def _plan(self, conversation: Conversation) -> Plan:
        headline = conversation.headline.lower()
        if headline.startswith("why do these tests fail"):
            return analyse(conversation)
        if headline.startswith("which of these links does not hold"):
            return doubt(conversation)
        if headline.startswith("what is the smallest change"):
            return repair(conversation, per_turn=self._tries)
        return _abstain(conversation)


def _abstain(conversation: Conversation) -> Plan:
    """An empty answer, or the order as it stands."""
    yield from ()
    known = properties_of(conversation.schema or {})
    missing = "nothing in the evidence stands out that the measurements do not say already"
    if "suites" in known:
        return {"suites": _suites(conversation.brief), "reasons": {}, "not_enough_evidence": missing}
    if "summary" in known:
        return {"title": "Changes as measured", "summary": missing, "not_enough_evidence": missing}
    return {"not_enough_evidence": missing}


def _suites(brief: str) -> list[str]:
    """Names of the plan, in its order."""
    section = brief.partition("## Plan")[2].partition("\n## ")[0]
    rows = re.findall(r"^[\s*]*(?:\d+[.):]|[-*])?\s*[`\"']?([\w][\w./-]*)", section, re.MULTILINE)
    return list(dict.fromkeys(rows))
