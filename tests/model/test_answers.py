"""Whatever stands around an answer, it is found; whatever is none is said to be none, in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldenpath_loop.model.answers import parsed, schema_of
from goldenpath_loop.records.agents import (
    OUTPUTS,
    Edit,
    Objection,
    Objections,
    ProposedFinding,
    ProposedFindings,
    ProposedPatch,
)
from goldenpath_loop.records.evidence import Citation
from goldenpath_loop.records.findings import Refuter

TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from('{}[]"\\\n`')))
SAID = TEXT.filter(bool)
CITATIONS = st.builds(Citation, evidence=st.sampled_from(["E1", "E22"]), quote=SAID)
FINDINGS = st.builds(
    ProposedFindings,
    findings=st.lists(
        st.builds(
            ProposedFinding,
            kind=st.sampled_from(["observation", "contradiction"]),
            title=SAID.map(lambda text: text[:120]),
            statement=SAID,
            citations=st.lists(CITATIONS, max_size=2).map(tuple),
            hypotheses=st.lists(TEXT, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    not_enough_evidence=TEXT,
)
PATCHES = st.builds(
    ProposedPatch,
    diff=TEXT,
    edits=st.lists(st.builds(Edit, path=SAID, search=SAID, replace=TEXT), max_size=2).map(tuple),
    rationale=TEXT,
)
ANSWERS = st.one_of(FINDINGS, PATCHES)
WORDS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]))
BEFORE = st.one_of(
    WORDS,
    st.sampled_from(["I used {env.KEY} here:\n", "Like {a, b}: ", "{x}{y} ", "[{x}]\n"]),
)
INDENTS = st.sampled_from([None, 0, 2])


@settings(deadline=None)
@given(ANSWERS, BEFORE, TEXT, INDENTS, st.booleans(), st.booleans())
def test_an_answer_between_words_is_found(
    answer: ProposedFindings | ProposedPatch,
    before: str,
    after: str,
    indent: int | None,
    fenced: bool,
    ascii_only: bool,
) -> None:
    written = json.dumps(answer.model_dump(mode="json"), indent=indent, ensure_ascii=ascii_only)
    if fenced:
        written = f"\n```json\n{written}\n```\n"
    assert parsed(f"{before}{written}{after}", answer.kind) == answer


@settings(deadline=None)
@given(FINDINGS, INDENTS, st.data())
def test_no_part_of_an_answer_that_was_cut_off_passes_for_the_whole(
    answer: ProposedFindings, indent: int | None, data: st.DataObject
) -> None:
    written = json.dumps(answer.model_dump(mode="json"), indent=indent)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    assert isinstance(parsed(cut, "findings"), str)
    assert isinstance(parsed(cut, "objections"), str)


@settings(deadline=None)
@given(st.one_of(TEXT, st.text()), st.sampled_from(list(OUTPUTS)))
@example('{"a":' * 995 + "1" + "}" * 995, "findings")
@example('{"a":' * 100_000, "findings")
@example("{" * 4000, "findings")
@example("\n{" * 4000, "findings")
@example('{"stood": [' + "1" * 5000 + "]}", "objections")
@example('{"not_enough_evidence": "\\ud800"}', "objections")
@example('{"not_enough_evidence": "\ud800"}', "objections")
@example('{"stood": [NaN, Infinity]}', "objections")
def test_no_text_breaks_it(text: str, output: str) -> None:
    name = next(one for one in OUTPUTS if one == output)
    found = parsed(text, name)
    assert isinstance(found, OUTPUTS[name]) or (isinstance(found, str) and found)


def test_nested_records_come_back_whole() -> None:
    answer = Objections(
        objections=(
            Objection(
                link=2,
                refuter=Refuter(
                    looked_for="what else?", found=False, citation=Citation(evidence="E1", quote="a}b")
                ),
                statement="it was not: {x}",
            ),
        ),
        stood=(1,),
    )
    assert parsed(f"Here it is: {answer.model_dump_json()} {{done}}", "objections") == answer


@pytest.mark.parametrize("before", ["", "A { opens.\n", "{ and { open: ", "Use `{` here.\n```json\n"])
def test_braces_that_nobody_closes_are_words(before: str) -> None:
    assert parsed(f'{before}{{"stood": [1]}}\nThat is all.', "objections") == Objections(stood=(1,))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no JSON object in it"),
        ("I do not know.", "there is no JSON object in it"),
        ("[1, 2]", "there is no JSON object in it"),
        ('{"findings": [}', "not JSON: Expecting value: line 1 column 15 (char 14)"),
        ('{"objections": [\n{}\n', "not JSON: Expecting ',' delimiter: line 3 column 1 (char 20)"),
        ('{"verdict": "fixed"}', "verdict: Extra inputs are not permitted"),
        ('{"findings": 7}', "findings: Input should be a valid array"),
    ],
)
def test_what_is_wrong_is_said_in_words_for_the_model(text: str, problem: str) -> None:
    assert parsed(text, "objections" if "objections" in text else "findings") == problem


def test_only_the_first_problems_are_told() -> None:
    many: dict[str, list[dict[str, str]]] = {"findings": [{} for _ in range(20)]}
    assert str(parsed(json.dumps(many), "findings")).count(";") == 4


@pytest.mark.parametrize("output", list(OUTPUTS))
def test_a_schema_is_plain_data(output: str) -> None:
    schema = schema_of(next(one for one in OUTPUTS if one == output))
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
