"""Who may be asked to read evidence: the definition of one agent, and the records agents answer with."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from goldenpath_loop.records.base import Record, Reference
from goldenpath_loop.records.evidence import Citation, EvidenceKind
from goldenpath_loop.records.findings import OperatorAction, Refuter, WhyLink

__all__ = [
    "OUTPUTS",
    "AgentLimits",
    "AgentSpec",
    "AnyAnswer",
    "Edit",
    "ModelTier",
    "Objection",
    "Objections",
    "OutputName",
    "ProposedFinding",
    "ProposedFindings",
    "ProposedOrder",
    "ProposedPatch",
    "PullRequestText",
    "ToolName",
]

ModelTier = Literal["fast", "standard", "strong"]

ToolName = Literal[
    "list_evidence",
    "read_evidence",
    "search_evidence",
    "read_source",
    "search_source",
    "read_history",
    "compare_baseline",
    "probe_service",
    "try_patch",
]
"""What an agent may call. All but the last only read or measure; that one runs tests on a worktree with a patch."""


class ProposedFinding(Record):
    """A claim before the gate has looked at what it cites."""

    kind: Literal["why_chain", "contradiction", "operator_action", "observation"]
    title: str = Field(min_length=1, max_length=120)
    statement: str = Field(min_length=1)
    citations: tuple[Citation, ...] = ()
    chain: tuple[WhyLink, ...] = ()
    hypotheses: tuple[str, ...] = ()
    """What would be worth a look and is not shown."""
    action: OperatorAction | None = None


class ProposedFindings(Record):
    """Some findings, or the reason why there are none."""

    kind: Literal["findings"] = "findings"
    findings: tuple[ProposedFinding, ...] = ()
    not_enough_evidence: str = ""
    """What is missing and which measurement would show it; a full answer on its own."""


class ProposedOrder(Record):
    """An order for suites that are already planned. It can add none and drop none."""

    kind: Literal["order"] = "order"
    suites: tuple[str, ...]
    reasons: dict[str, str] = Field(default_factory=dict)
    citations: tuple[Citation, ...] = ()
    not_enough_evidence: str = ""


class Objection(Record):
    """Why one link of a why-chain does not hold."""

    link: int = Field(ge=1)
    """Number of the link, from 1 at the symptom."""
    refuter: Refuter
    statement: str = Field(min_length=1)


class Objections(Record):
    """Every link that was tried and fell, and which were tried and stood."""

    kind: Literal["objections"] = "objections"
    objections: tuple[Objection, ...] = ()
    stood: tuple[int, ...] = ()
    """Numbers of the links for which a refuter was looked for and not found."""
    not_enough_evidence: str = ""


class Edit(Record):
    """Some text of one file, and what is to stand in its place."""

    path: str = Field(min_length=1)
    search: str = Field(min_length=1)
    """Occurs exactly once in the file."""
    replace: str


class ProposedPatch(Record):
    """A repair as a unified diff or as edits, not both. It counts for nothing until it is measured."""

    kind: Literal["patch"] = "patch"
    diff: str = ""
    edits: tuple[Edit, ...] = ()
    intended: tuple[str, ...] = ()
    """Paths the diff touches."""
    rationale: str = ""
    because: tuple[Reference, ...] = ()
    citations: tuple[Citation, ...] = ()
    refuted_by: str = ""
    """The measurement that would show this repair to be wrong."""
    not_enough_evidence: str = ""


class PullRequestText(Record):
    """Words for a pull request; the numbers in it are filled in from measurements."""

    kind: Literal["pull_request_text"] = "pull_request_text"
    title: str = Field(min_length=1, max_length=72)
    summary: str = Field(min_length=1)
    review_hints: tuple[str, ...] = ()
    because: tuple[Reference, ...] = ()
    not_enough_evidence: str = ""


OutputName = Literal["findings", "order", "objections", "patch", "pull_request_text"]

OUTPUTS: MappingProxyType[OutputName, type[Record]] = MappingProxyType(
    {
        "findings": ProposedFindings,
        "order": ProposedOrder,
        "objections": Objections,
        "patch": ProposedPatch,
        "pull_request_text": PullRequestText,
    }
)
"""The record each output name stands for."""


AnyAnswer = Annotated[
    ProposedFindings | ProposedOrder | Objections | ProposedPatch | PullRequestText,
    Field(discriminator="kind"),
]


class AgentLimits(Record):
    """The most one dispatch may use."""

    turns: int = Field(ge=1)
    tokens: int = Field(ge=1)
    """Prompt and answer together, over all turns."""
    duration_s: float = Field(gt=0)
    cost_usd: float = Field(gt=0)


class AgentSpec(Record):
    """One agent. Who calls it, and when, is not its business."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    purpose: str = Field(min_length=1)
    prompt: str = Field(pattern=r"^[a-z][a-z0-9_]*\.md\.j2$")
    """File name in `prompts/`."""
    inputs: dict[str, str] = Field(min_length=1)
    """Template variable to what it holds."""
    instruments: tuple[EvidenceKind, ...] = ()
    """Kinds of evidence that open its brief."""
    tools: tuple[ToolName, ...] = ()
    output: OutputName
    limits: AgentLimits
    tier: ModelTier = "standard"
