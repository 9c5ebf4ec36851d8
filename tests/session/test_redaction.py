"""Secrets never reach the disk, and what is taken out never costs the log its shape."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldenpath_loop.core.readings import suite_key
from goldenpath_loop.records.effects import PushBranch
from goldenpath_loop.records.events import EffectFailed, EffectRequested, LimitReached, RunPaused
from goldenpath_loop.records.line import Line
from goldenpath_loop.records.policy import Settings
from goldenpath_loop.records.receipts import SuiteReceipt
from goldenpath_loop.records.target import FocusSpec, ServiceSpec, SuiteSpec, TargetSpec
from goldenpath_loop.session.chain import read
from goldenpath_loop.session.log import SessionLog
from goldenpath_loop.session.redaction import Redactor
from goldenpath_loop.session.store import EvidenceStore
from goldenpath_loop.session.vocabulary import names_of, own_words
from goldenpath_loop.testing import PaperTarget

from ..core.worlds import Life, live, start

SECRET = 'p"ä\\ss\nw/o+rd'
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


def is_own_word(text: str) -> bool:
    """Whether it is part of a word that the loop itself writes, which is never a secret."""
    return any(text in word for word in own_words())


def test_a_known_value_is_taken_out_wherever_it_stands() -> None:
    """And it is said how often."""
    assert Redactor(["hunter22"]).text("hunter22 xhunter22x") == ("[redacted] x[redacted]x", 2)


@pytest.mark.parametrize(
    "packed",
    [
        quote("s3cret/+ ü"),
        quote("s3cret/+ ü", safe=""),
        quote_plus("s3cret/+ ü"),
        urlencode({"password": "s3cret/+ ü"}),
        json.dumps({"password": "s3cret/+ ü"}),
        json.dumps({"password": "s3cret/+ ü"}, ensure_ascii=False),
    ],
)
def test_a_known_value_is_found_where_it_is_encoded(packed: str) -> None:
    """In a URL, in a form, in JSON."""
    clean, count = Redactor(["s3cret/+ ü"]).text(packed)
    assert count == 1
    assert "s3cret" not in clean


@given(
    st.text(min_size=6, max_size=40).filter(lambda text: len(text.encode()) >= 12 and not is_own_word(text)),
    st.text(max_size=5),
    st.text(max_size=5),
)
@example("correct horse battery", "user:", "")
def test_a_known_value_is_found_inside_of_base64(secret: str, before: str, after: str) -> None:
    """Whatever stands before and behind it in the packed text, as in `Basic` credentials."""
    packed = base64.b64encode((before + secret + after).encode()).decode()
    for form in (packed, packed.translate(str.maketrans("+/", "-_"))):
        clean, count = Redactor([secret]).text(f"it says {form}.")
        assert count >= 1
        inner = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
        assert inner not in clean


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 9,
        "sk-" + "a1B2" * 9,
        "AKIA" + "A1B2" * 4,
        "ASIA" + "A1B2" * 4,
        "glpat-" + "a1B2" * 6,
        "AIza" + "a1B2c" * 7,
        "ya29." + "a1B2" * 9,
        "sk_live_" + "a1B2" * 6,
        "npm_" + "a1B2" * 9,
        "pypi-" + "a1B2" * 12,
        "xoxb-1234567890-abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_well_known_shapes_are_taken_out_unasked(text: str) -> None:
    """Nobody has to configure them."""
    assert Redactor().text(f"before {text} after") == ("before [redacted] after", 1)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def\nHost: x", "Authorization: [redacted]\nHost: x"),
        ("cookie: sid=1; theme=dark\r\nHost: x", "cookie: [redacted]\r\nHost: x"),
        ('{"set-cookie": "sid=1", "x": 1}', '{"set-cookie": "[redacted]", "x": 1}'),
        ("AccountKey=" + "a1B2" * 12 + "==;x", "AccountKey=[redacted];x"),
        ("aws_secret_access_key = " + "a1B2" * 10 + " x", "aws_secret_access_key[redacted] x"),
        (
            "https://hooks.slack.com/services/T0/B0/" + "a1B2" * 6,
            "https://hooks.slack.com/services/[redacted]",
        ),
        ("postgres://ada:s3cret@db/x", "postgres://[redacted]@db/x"),
        ("http://localhost:8080/x@y", "http://localhost:8080/x@y"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_carries_credentials_loses_them_and_nothing_else(text: str, clean: str) -> None:
    """Header names, hosts and the rest of a request stay readable."""
    assert Redactor().text(text)[0] == clean


def test_short_values_are_no_secrets() -> None:
    """Taking out `8080` or `true` everywhere would leave no evidence."""
    assert Redactor(["8080", "true", "", "abcde"]).text("8080 true abcde") == ("8080 true abcde", 0)


def test_bytes_that_are_no_text_pass_unharmed() -> None:
    """And what is text in them is looked at."""
    data = b"\xff\x00hunter22\xfe\x80"
    assert Redactor(["hunter22"]).data(data) == (b"\xff\x00[redacted]\xfe\x80", 1)
    assert Redactor(["hunter23"]).data(data) == (data, 0)


def test_evidence_is_stored_without_secrets_and_says_how_many(tmp_path: Path) -> None:
    """The digest is that of what is stored."""
    store = EvidenceStore(tmp_path, Redactor([SECRET]))
    stored = store.put(f"raw {SECRET} json {json.dumps(SECRET)} token {JWT}".encode())
    assert stored.redactions == 3
    assert store.get(stored.digest) == b'raw [redacted] json "[redacted]" token [redacted]'


def logged(path: Path, redactor: Redactor, reason: str) -> Line:
    """One event with `reason` in it, read back from the disk."""
    with SessionLog(path, redactor) as log:
        log.append(RunPaused(reason=reason))
        log.append(LimitReached(limit="x", allowed=1, used=2))
    return next(read(path))


@pytest.mark.parametrize(
    "secret", [SECRET, '"quoted"', "back\\slash", "two\nlines", "ключ-от-всего", '},{"a":1']
)
def test_a_secret_that_json_escapes_does_not_leak(tmp_path: Path, secret: str) -> None:
    """Neither as it is nor as the log would write it; the line stays an event."""
    path = tmp_path / "session.jsonl"
    line = logged(path, Redactor([secret]), f"it said {secret}!")
    assert line.event == RunPaused(reason="it said [redacted]!")
    text = path.read_text(encoding="utf-8")
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert form not in text


@pytest.mark.parametrize("text", ["cookie: sid=1", "Cookie: a", f"Authorization: Bearer {JWT}"])
def test_a_shape_that_runs_to_the_end_of_the_line_ends_with_its_text(tmp_path: Path, text: str) -> None:
    """It must not eat the rest of the event."""
    line = logged(tmp_path / "session.jsonl", Redactor(), text)
    assert isinstance(line.event, RunPaused)
    assert line.event.reason.endswith("[redacted]")


@given(st.lists(st.text(min_size=6, max_size=20), min_size=1, max_size=3), st.text(), st.text())
def test_whatever_the_secrets_the_log_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, secrets: list[str], before: str, after: str
) -> None:
    """No secret is left in any text of it, and its structure is as it was."""
    path = tmp_path_factory.mktemp("log") / "session.jsonl"
    line = logged(path, Redactor(secrets), before + secrets[0] + after)
    assert isinstance(line.event, RunPaused)
    for secret in secrets:
        if not any(secret in word for word in own_words()):
            assert secret not in line.event.reason.replace("[redacted]", "")


def test_the_structure_of_an_event_is_never_touched(tmp_path: Path) -> None:
    """A secret that reads like a field's name is taken out of texts only."""
    path = tmp_path / "session.jsonl"
    with SessionLog(path, Redactor(["duration_s_and", "reason", "advice"])) as log:
        log.append(EffectFailed(key="k", error="no reason", advice="no advice"))
    assert next(read(path)).event == EffectFailed(key="k", error="no [redacted]", advice="no [redacted]")


def test_a_digest_stays_whole(tmp_path: Path) -> None:
    """A secret that stands inside of a commit id stands there by chance."""
    path = tmp_path / "session.jsonl"
    event = EffectRequested(effect=PushBranch(key="push", branch="b", head="0123456789" * 4))
    with SessionLog(path, Redactor(["34567890"])) as log:
        log.append(event)
    assert [line.event for line in read(path)] == [event]


def repaired(folder: Path, secrets: list[str]) -> Life:
    """A whole run on paper with settings that hold `secrets`."""
    return anyio.run(
        lambda: live(start(folder), PaperTarget(commits=6, culprit=3), redactor=Redactor(secrets))
    )


def words_of(life: Life) -> set[str]:
    """Every word of a run that a decision may look something up by."""
    state = life.state
    found = {word for key in state.effects for word in key.replace("@", "/").split("/")}
    for verdict in state.verdicts:
        found |= {verdict.kind, verdict.value}
    for decision in state.decisions:
        found.add(decision.subject)
    for record in state.effects.values():
        found.add(record.effect.kind)
        found.add(getattr(record.effect, "tree", ""))
    found |= {done.phase for done in state.closed} | {done.result for done in state.closed}
    return {word for word in found if len(word) >= 6 and not any(digit in word for digit in "0123456789")}


def test_settings_that_are_words_of_the_loop_change_nothing(tmp_path: Path) -> None:
    """`ENVIRONMENT=staging`, `STAGE=execute`: no key, kind or verdict is cut through, and the run ends as ever."""
    plain = repaired(tmp_path / "plain", [])
    words = sorted(words_of(plain))
    assert "execute" in words
    life = repaired(tmp_path / "secret", [*words, "staging"])
    assert life.outcome == "repaired"
    assert list(life.state.effects) == list(plain.state.effects)
    assert life.state.settled(suite_key(1, "unit"), SuiteReceipt) is not None


def test_names_of_the_configuration_are_no_secrets() -> None:
    """A service called `backend` is called so in every key; a database of that name gives nothing away."""
    settings = Settings(
        target=TargetSpec(name="shop-api", packages=("shop_api",)),
        services=(ServiceSpec(name="backend", required_settings=("DATABASE_URL",)),),
        suites=(SuiteSpec(name="checkout", path="tests/e2e/test_checkout.py"),),
        focuses=(FocusSpec(name="revenue"),),
    )
    redactor = Redactor(["backend", "checkout", "revenue", "s3cret-value"], names=names_of(settings))
    assert redactor.text("backend checkout revenue s3cret-value")[0] == "backend checkout revenue [redacted]"
