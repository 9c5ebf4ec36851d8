"""The gate: what is cited is there, word for word, or the claim is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.core.claims import Origin
from goldenpath_loop.core.grounding import cited, judge, resolve
from goldenpath_loop.core.visible import legible, neutral
from goldenpath_loop.records.events import DecisionMade
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Finding, Refuter, WhyLink

from .builders import cluster, state

STORED = {
    "E1": "HTTP/1.1 200 OK\nbody: ä first\nbody: second\n".encode(),
    "E2": b"one\r\ntwo\r\nthree\r\n",
    "E3": b"\xff\xfebinary",
    "E4": b"",
    "E5": b"one\r\ntwo\nthree",
    "E6": "\x1b[31mERROR\x1b[0m \x1b[1medge\x1b[0m ä\x1b[K\r\nnext\u200bone\r".encode(),
}


def cite(evidence: str, quote: str, start: int = -1, end: int = -1) -> Citation:
    """A citation, located or not."""
    return Citation(evidence=evidence, quote=quote, start=start, end=end)


@pytest.mark.parametrize(
    ("citation", "span"),
    [
        (cite("E1", "HTTP/1.1 200 OK"), (0, 15)),
        (cite("E1", "ä first"), (22, 30)),
        (cite("E1", "ä first\nbody"), (22, 35)),
        (cite("E1", "body"), (16, 20)),
        (cite("E1", "body: second", 31, 43), (31, 43)),
        (cite("E2", "two"), (5, 8)),
        (cite("E2", "one\ntwo"), (0, 8)),
        (cite("E2", "one\r\ntwo"), (0, 8)),
        (cite("E2", "one\ntwo", 0, 8), (0, 8)),
        (cite("E1", "OK\r\nbody", 13, 20), (13, 20)),
        (cite("E1", "OK\r\nbody"), (13, 20)),
        (cite("E5", "one\ntwo\nthree"), (0, 14)),
        (cite("E3", "binary"), (2, 8)),
        (cite("E6", "ERROR edge"), (5, 23)),
        (cite("E6", "ERROR edge", 5, 23), (5, 23)),
        (cite("E6", "ERROR edge", 0, 27), (0, 27)),
        (cite("E6", "\x1b[31mERROR\x1b[0m \x1b[1medge"), (5, 23)),
        (cite("E6", "edge ä\nnext"), (19, 39)),
        (cite("E6", "next<U+200B>one<U+000D>"), (35, 46)),
        (cite("E6", "next\u200bone"), (35, 45)),
    ],
)
def test_a_quote_that_is_there_is_located(citation: Citation, span: tuple[int, int]) -> None:
    """In bytes, not characters; only the kind of line end may differ."""
    found = resolve(citation, STORED)
    assert isinstance(found, Citation)
    assert (found.start, found.end) == span
    assert (found.evidence, found.quote) == (citation.evidence, citation.quote)


@pytest.mark.parametrize(
    ("citation", "said"),
    [
        (cite("E1", "HTTP/1.1 500"), "E1 does not contain 'HTTP/1.1 500'"),
        (cite("E1", "http/1.1 200 ok"), "E1 does not contain"),
        (cite("E1", "body:  second"), "E1 does not contain"),
        (cite("E1", "first body"), "E1 does not contain"),
        (cite("E1", "HTTP/1.1 200 OK body: second"), "E1 does not contain"),
        (cite("E1", "HTTP/1.1 200 OK ... second"), "E1 does not contain"),
        (cite("E2", "HTTP/1.1 200 OK"), "E2 does not contain"),
        (cite("E9", "HTTP/1.1 200 OK"), "E9 is not evidence of this run"),
        (cite("E1", "body: second", 30, 42), "E1[30:42] does not say 'body: second'"),
        (cite("E1", "body: second", 31, 44), "E1[31:44] does not say"),
        (cite("E1", "body: second", 31, 4000), "E1[31:4000] does not say"),
        (cite("E1", "second", 0, 6), "E1[0:6] does not say"),
        (cite("E4", "anything"), "E4 does not contain"),
        (cite("E2", "one two"), "E2 does not contain"),
        (cite("E6", "ERRORedge"), "E6 does not contain"),
        (cite("E6", "nextone"), "E6 does not contain"),
        (cite("E6", "ERROR edge", 5, 24), "E6[5:24] does not say"),
        (cite("E6", "next<U+200C>one"), "E6 does not contain"),
        (cite("E6", "next<U+110000>"), "E6 does not contain"),
        (cite("E6", "\x1b[31m\x1b[0m\x1b[1m"), "too short to say anything"),
        (cite("E6", "\u200b\u200b\u200b\u200b"), "too short to say anything"),
    ],
)
def test_a_quote_that_is_not_there_is_refused(citation: Citation, said: str) -> None:
    """Joined, paraphrased, shortened, moved, from elsewhere, or one byte off."""
    found = resolve(citation, STORED)
    assert isinstance(found, str)
    assert said in found


@given(st.binary(max_size=60), st.text(min_size=1, max_size=10), st.integers(0, 70), st.integers(0, 70))
def test_what_resolves_stands_in_the_bytes(data: bytes, quote: str, start: int, end: int) -> None:
    """Whatever the bytes: a located citation says what stands between its offsets, as an agent is shown it."""
    for proposed in (cite("E1", quote), cite("E1", quote, start, end)):
        found = resolve(proposed, {"E1": data})
        if isinstance(found, Citation):
            there = data[found.start : found.end].decode()
            assert neutral(there) == neutral(quote)
            assert found.is_located
            assert resolve(found, {"E1": data}) == found


LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1b"), max_size=20)
COLOURS = st.lists(st.sampled_from(["\x1b[31m", "\x1b[0m", "\x1b]8;;x\x07", "ok", " ", "\r\n"]), max_size=6)


@given(LINES, LINES, LINES, COLOURS.map("".join))
def test_every_quote_taken_from_evidence_resolves(quote: str, before: str, after: str, colour: str) -> None:
    """Wherever it stands, taken from the bytes or from what an agent is shown of them."""
    data = {"E1": f"{before}{colour}{quote}{colour}{after}".encode()}
    for one in filter(None, (quote, neutral(quote))):
        found = resolve(cite("E1", one), data)
        assert isinstance(found, Citation) or len(legible(one)) < 3 or one.endswith(("\r", "<U+000D>"))


def test_a_quote_keeps_its_place_between_colours() -> None:
    """The offsets are those of the stored bytes, and the same place is found again from them."""
    found = resolve(cite("E6", "ERROR edge"), STORED)
    assert isinstance(found, Citation)
    assert STORED["E6"][found.start : found.end] == b"ERROR\x1b[0m \x1b[1medge"
    assert resolve(found, STORED) == found


@pytest.mark.parametrize("quote", ["a", "  a b", "\n\n\n", "12"])
def test_a_quote_that_stands_in_everything_shows_nothing(quote: str) -> None:
    """Three characters that can be seen are the least."""
    assert "too short" in str(resolve(cite("E1", quote), {"E1": quote.encode() * 3}))


FOUND_NOTHING = Refuter(looked_for="the opposite", found=False)


def link(number: int, *, refuter: Refuter = FOUND_NOTHING, quote: str = "", effect: str = "") -> WhyLink:
    """The link from `why {number - 1}` to `why {number}`, shown by two different places of evidence."""
    first, second = ("HTTP/1.1 200 OK", "body: second") if number % 2 else ("body: second", "HTTP/1.1 200 OK")
    return WhyLink(
        kind="configuration",
        effect=effect or f"why {number - 1}",
        cause=f"why {number}",
        effect_citation=cite("E1", first),
        cause_citation=cite("E1", quote or second),
        refuter=refuter,
    )


def finding(*chain: WhyLink, citations: tuple[Citation, ...] = ()) -> Finding:
    """A claim as proposed."""
    return Finding(id="F1", kind="why_chain", title="t", statement="s", citations=citations, chain=chain)


def test_a_chain_that_holds_is_kept_whole_and_located() -> None:
    """Every citation gets its offsets, the refuter's too."""
    shown = Refuter(looked_for="x", found=False, citation=cite("E2", "two"))
    judgement = judge(finding(link(1), link(2, refuter=shown), link(3)), STORED, state())
    assert judgement.finding is not None
    assert len(judgement.finding.chain) == 3
    assert judgement.finding.hypotheses == ()
    for one in judgement.finding.chain:
        assert one.effect_citation.is_located
        assert one.cause_citation.is_located
    found = judgement.finding.chain[1].refuter.citation
    assert found is not None
    assert (found.start, found.end) == (5, 8)


BROKEN = {
    "absent quote": (link(3, quote="never said"), "E1 does not contain 'never said'"),
    "refuter found": (
        link(3, refuter=Refuter(looked_for="an older red", found=True)),
        "its refuter was found: an older red",
    ),
    "refuter unresolved": (
        link(3, refuter=Refuter(looked_for="x", found=False, citation=cite("E2", "four"))),
        "E2 does not contain 'four'",
    ),
    "gap": (link(3, effect="something else"), "it does not start where the link above it ends"),
    "circular": (
        link(3).model_copy(update={"cause": "why 2"}),
        "it explains something by itself",
    ),
    "one observation": (
        link(3).model_copy(update={"cause_citation": link(3).effect_citation}),
        "effect and cause are the same observation",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_chain_is_cut_at_the_first_link_that_does_not_hold(name: str) -> None:
    """What lies below becomes a hypothesis with the reason, also links that would hold on their own."""
    broken, said = BROKEN[name]
    chain = (link(1), link(2), broken, link(4, effect=broken.cause), link(5))
    judgement = judge(finding(*chain), STORED, state())
    assert judgement.finding is not None
    assert [one.cause for one in judgement.finding.chain] == ["why 1", "why 2"]
    assert [text.split(" (not shown: ")[0] for text in judgement.finding.hypotheses] == [
        broken.cause,
        "why 4",
        "why 5",
    ]
    assert all(f"link 3: {said}" in text for text in judgement.finding.hypotheses)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_chain_may_be_cut_anywhere(cut: int) -> None:
    """Cut at the first link nothing is left, and a claim that shows nothing is none."""
    chain = [link(number, quote="never said" if number == cut else "") for number in range(1, 6)]
    judgement = judge(finding(*chain), STORED, state())
    if cut == 1:
        assert judgement.finding is None
        assert judgement.reasons == (
            "its first link does not hold: link 1: E1 does not contain 'never said'",
        )
    else:
        assert judgement.finding is not None
        assert len(judgement.finding.chain) == cut - 1
        assert len(judgement.finding.hypotheses) == 6 - cut


def test_a_claim_that_cites_nothing_is_rejected() -> None:
    """However well it reads."""
    assert judge(finding(), STORED, state()).reasons == ("it cites nothing",)


def test_one_citation_that_does_not_resolve_rejects_the_claim_with_every_reason() -> None:
    """There is no half grounded observation."""
    citations = (cite("E1", "body"), cite("E1", "nobody"), cite("E9", "body"))
    judgement = judge(finding(link(1), citations=citations), STORED, state())
    assert judgement.finding is None
    assert judgement.reasons == ("E1 does not contain 'nobody'", "E9 is not evidence of this run")


def test_a_claim_with_citations_survives_the_loss_of_its_chain() -> None:
    """It then says what it cites, and supposes the rest."""
    judgement = judge(finding(link(1, quote="never"), citations=(cite("E2", "two"),)), STORED, state())
    assert judgement.finding is not None
    assert judgement.finding.chain == ()
    assert len(judgement.finding.hypotheses) == 1
    assert judgement.finding.citations == (cite("E2", "two", 5, 8),)


def test_everything_a_claim_points_at_is_read_before_it_is_judged() -> None:
    """Citations, both ends of each link, and refuters."""
    shown = Refuter(looked_for="x", found=False, citation=cite("E3", "binary"))
    assert cited(finding(link(1, refuter=shown), citations=(cite("E2", "two"),))) == {"E1", "E2", "E3"}


@pytest.mark.parametrize(("read", "is_refused"), [({"E1", "E2"}, True), ({"E1", "E2", "E3"}, False)])
def test_an_agent_cites_against_itself_only_what_it_read(read: set[str], is_refused: bool) -> None:
    """A refuter that nobody put before it was never looked at."""
    shown = Refuter(looked_for="x", found=False, citation=cite("E3", "binary"))
    claim = finding(link(1, refuter=shown), citations=(cite("E2", "two"),))
    failing = DecisionMade(cycle=0, subject="clusters", choice="one", reason="r", clusters=(cluster(),))
    judgement = judge(
        claim.model_copy(update={"cluster": "K1"}),
        STORED,
        state(failing),
        origin=Origin(frozenset(read), "f" * 40),
    )
    assert judgement.finding is not None
    (supposed,) = judgement.finding.hypotheses or ("",)
    assert ("E3 was never put before the agent that cites it" in supposed) is is_refused
