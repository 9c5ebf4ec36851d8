"""Gets the token a probe needs before it can ask, and says what is left of its time."""

from __future__ import annotations

from dataclasses import dataclass

from goldenpath_loop.probes.answer import Answer, line_with
from goldenpath_loop.probes.http_answer import token_of
from goldenpath_loop.probes.question import Question
from goldenpath_loop.probes.transcript import of_exchange
from goldenpath_loop.system.clock import monotonic_s
from goldenpath_loop.system.http import exchange

__all__ = ["Admission", "admit"]


@dataclass(frozen=True, slots=True)
class Admission:
    """What a probe may ask with."""

    headers: tuple[tuple[str, str], ...]
    token: str
    lines: tuple[str, ...]
    """Transcript of the login, without either credential; empty when none was needed."""
    left_s: float
    """What is left of the probe's `timeout_s`."""
    problem: str = ""
    """Why the question cannot be asked; empty when it can."""

    def refusal(self, lines: list[str]) -> Answer:
        """The probe's answer when there is a problem; says so in `lines` too."""
        lines.append(f"not asked: {self.problem}")
        quote = line_with(lines, "HTTP/", "no answer:", "not asked:")
        return Answer(answered=False, summary=self.problem, quote=quote)


async def admit(question: Question) -> Admission:
    """Log in when the probe says how; a login that fails is a problem of the answer, not an exception."""
    timeout_s = question.spec.timeout_s
    login = question.login
    if login is None:
        return Admission(question.headers, "", (), timeout_s)
    began = monotonic_s()
    asked = await exchange("POST", login.url, json=dict(login.body), timeout_s=timeout_s)
    token, problem = token_of(asked, login.field)
    # A refusal explains itself in its body; an answer with a token is a credential from end to end.
    lines = of_exchange(asked, secrets=tuple(login.body.values()), hide_body=not problem)
    left_s = timeout_s - (monotonic_s() - began)
    if not problem and left_s <= 0:
        problem = f"login took all of {timeout_s:g} s"
    own = tuple(header for header in question.headers if header[0] != "authorization")
    return Admission((*own, ("authorization", f"Bearer {token}")), token, (*lines, ""), left_s, problem)
