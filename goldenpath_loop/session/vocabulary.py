"""Words that stand in every log in the clear: the loop's own, and the names in the configuration.

A setting like `ENVIRONMENT=staging` is no secret although it comes from the settings file. Taking such a word out
would cut through effect keys and names, and a run that does not recognise its own keys never ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from goldenpath_loop.records.events import event_adapter
from goldenpath_loop.records.policy import Settings

__all__ = ["names_of", "own_words"]

_IN_KEYS = (
    "again-1", "audit", "change", "clusters", "collect", "commits", "confirm", "cycle-1", "deploy", "execute",
    "goldenpath/revert-", "history", "probe", "pull_request", "push", "remedy-", "remedy/revert", "stability",
    "staging", "test_select", "triage", "without",
)  # fmt: skip
_IN_VERDICTS = (
    "breached", "clean", "confirmed", "failed", "flaky", "healthy", "impaired", "incomplete", "never_good",
    "environment", "intermittent", "minimal",
    "not measured", "not_cured", "not_searchable", "partial", "proven", "regression", "running", "suspect",
    "trade_off", "unknown", "unproven", "violations",
)  # fmt: skip
_IN_DECISIONS = ("arrow back", "cycles", "deployment", "duration_s", "go on degraded", "pull_requests")


@cache
def own_words() -> frozenset[str]:
    """What the loop itself writes into keys, kinds, verdicts and decisions."""
    return frozenset((*_IN_KEYS, *_IN_VERDICTS, *_IN_DECISIONS, *_constants(event_adapter.json_schema())))


def names_of(settings: Settings) -> frozenset[str]:
    """Names that a person gave to things, and that keys and verdicts are made of."""
    target = settings.target
    found = [target.name, target.branch, target.remote, *target.tests, *target.packages]
    found += [focus.name for focus in settings.focuses]
    for suite in settings.suites:
        found += [suite.name, suite.path, suite.junit]
    for service in settings.services:
        found += [service.name, *service.required_settings, *(probe.name for probe in service.probes)]
    return frozenset(name for name in found if name)


def _constants(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (word for word in (schema.get("const"), *schema.get("enum", ())) if isinstance(word, str))
        for value in schema.values():
            yield from _constants(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _constants(value)
