"""Asks a service by HTTP."""

from __future__ import annotations

from dataclasses import replace

from goldenpath_loop.probes.answer import Seen
from goldenpath_loop.probes.http_answer import classify_http
from goldenpath_loop.probes.login import admit
from goldenpath_loop.probes.question import Question
from goldenpath_loop.probes.transcript import mask, of_exchange
from goldenpath_loop.system.clock import monotonic_s, now
from goldenpath_loop.system.http import exchange

__all__ = ["ask_http"]


async def ask_http(question: Question, *, revision: str = "") -> Seen:
    """Ask once, within the probe's `timeout_s` for login and question together.

    Args:
        question: What to ask.
        revision: JSON field of the answer that names the served revision; empty to read none.
    """
    spec = question.spec
    started_at, began = now(), monotonic_s()
    admission = await admit(question)
    lines = list(admission.lines)
    if admission.problem:
        answer = admission.refusal(lines)
    else:
        asked = await exchange(
            spec.method, question.url, headers=admission.headers, timeout_s=admission.left_s
        )
        own = of_exchange(asked, secrets=(admission.token,))
        lines += own
        answer = classify_http(spec, asked, own, revision=revision)
        answer = replace(answer, summary=mask(answer.summary, (admission.token,)))
    return Seen(
        answer=answer,
        kind="http_exchange",
        transcript="\n".join(lines) + "\n",
        how=f"{spec.method} {question.url}",
        started_at=started_at,
        duration_s=monotonic_s() - began,
    )
