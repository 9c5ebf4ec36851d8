"""What the tools of an agent do: read evidence, source and history, compare, probe, and try a patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from goldenpath_loop.engine.bench import Bench
from goldenpath_loop.engine.desk import Desk
from goldenpath_loop.engine.patching import Candidate, try_patch
from goldenpath_loop.model import tool_calls as tools
from goldenpath_loop.model.dialogue import ToolResult
from goldenpath_loop.model.envelope import envelope, neutral
from goldenpath_loop.model.messages import ToolCall
from goldenpath_loop.probes.service import probe_service
from goldenpath_loop.records.agents import AgentSpec
from goldenpath_loop.records.effects import DispatchAgent
from goldenpath_loop.records.evidence import Evidence, Obtained
from goldenpath_loop.records.receipts import DeployReceipt, HistoryReceipt, StopReceipt
from goldenpath_loop.repository.source import blame, file_at, log_of, search_at, show_commit
from goldenpath_loop.session.witness import Witness
from goldenpath_loop.system import clock

__all__ = ["Toolbox"]

_DIGEST_CHARS = 2_400
_MOST_TRIES = 40
_MOST_LISTED = 200
_MOST_HITS = 100
_MESSAGE_CHARS = 600


@dataclass(slots=True)
class Toolbox:
    """The tools of one dispatch, and what they put before the agent."""

    effect: DispatchAgent
    agent: AgentSpec
    bench: Bench
    desk: Desk
    witness: Witness
    read: dict[str, None] = field(default_factory=dict)
    """Evidence that the agent was shown, in order."""
    tries: int = 0
    sources: dict[tuple[str, int, int], str] = field(default_factory=dict)
    """Evidence of source that was read already."""

    async def use(self, call: ToolCall) -> ToolResult:
        """Carry out one call; what is wrong with it is told to the agent."""
        arguments = tools.arguments_of(call.name, call.arguments, self.agent.tools)
        if isinstance(arguments, str):
            return ToolResult(f"error: {arguments}")
        self.witness.progress(f"{self.agent.name}: {call.name}")
        return ToolResult(await self._result(arguments))

    async def _result(self, arguments: tools.ToolArguments) -> str:
        match arguments:
            case tools.ListEvidence():
                return self.listing()
            case tools.ReadEvidence():
                return self._page(arguments)
            case tools.SearchEvidence(text=text):
                return self._search(text)
            case tools.ReadSource():
                return await self._source(arguments)
            case tools.SearchSource(text=text):
                hits = await search_at(self.bench.root, self.effect.revision, text)
                return self._outside(
                    "\n".join(hits) or f"no line of the source holds {text!r}", "search_source"
                )
            case tools.ReadHistory():
                return await self._history(arguments)
            case tools.CompareBaseline(text=text):
                return self._outside(self._baseline(text), "compare_baseline")
            case tools.ProbeService(service=service):
                return await self._probe(service)
            case tools.TryPatch():
                return await self._try(arguments)
            case _:
                return "error: nobody knows how to do that"

    def clean(self, text: str) -> str:
        """`text` in which nothing acts, and without secrets, also those that only what acts has kept apart."""
        return self.bench.redactor.text(neutral(text))[0]

    def _outside(self, text: str, kind: str) -> str:
        clean = self.clean(text)
        return envelope(clean[: tools.MOST_CHARS], kind=kind) + (
            f"\n[cut: {len(clean) - tools.MOST_CHARS} characters more]"
            if len(clean) > tools.MOST_CHARS
            else ""
        )

    def listing(self, *, leave_out: tuple[str, ...] = ()) -> str:
        """A line for each piece of evidence: id, kind, subject, size."""
        known = [one for one in self.desk.session.all_evidence() if one.id not in leave_out]
        lines = [_line(one) for one in known[-_MOST_LISTED:]]
        if len(known) > _MOST_LISTED:
            lines.insert(
                0, f"[{len(known) - _MOST_LISTED} older ones are not listed; search_evidence finds them]"
            )
        return self._outside("\n".join(lines) or "there is no evidence", "list_evidence")

    def shown(self, id: str) -> str:
        """A piece of evidence as it opens a brief: whole when it is short, else its beginning and end."""
        known, data = self.desk.session.evidence(id), self.desk.session.bytes_of(id)
        if known is None or data is None:
            return f"{id} is not evidence of this run"
        self.read[id] = None
        text = data.decode("utf-8", "replace")
        if len(text) > _DIGEST_CHARS:
            half = _DIGEST_CHARS // 2
            hidden = len(text) - 2 * half
            text = f"{text[:half]}\n[{hidden} characters more; read_evidence shows them]\n{text[-half:]}"
        return f"{self.clean(_line(known))}\n{envelope(self.clean(text), kind=known.kind, id=id)}"

    def _page(self, asked: tools.ReadEvidence) -> str:
        known, data = self.desk.session.evidence(asked.id), self.desk.session.bytes_of(asked.id)
        if known is None or data is None:
            return f"error: there is no evidence {asked.id}; list_evidence names all"
        self.read[asked.id] = None
        piece = data[asked.start : asked.start + asked.length]
        after = asked.start + len(piece)
        rest = f"\n[{len(data) - after} bytes more from start={after}]" if after < len(data) else ""
        text = self.clean(piece.decode("utf-8", "replace"))
        return envelope(text, kind=known.kind, id=asked.id) + rest

    def _search(self, text: str) -> str:
        wanted, hits = text.lower(), []
        for known in self.desk.session.all_evidence():
            data = self.desk.session.bytes_of(known.id) or b""
            lines = data.decode("utf-8", "replace").splitlines()
            hits += [f"{known.id}: {line[:300]}" for line in lines if wanted in line.lower()][:20]
            if len(hits) >= _MOST_HITS:
                break
        return self._outside("\n".join(hits[:_MOST_HITS]) or f"no evidence holds {text!r}", "search_evidence")

    async def _source(self, asked: tools.ReadSource) -> str:
        place = (asked.path, asked.first, asked.count)
        id = self.sources.get(place)
        if id is None:
            text = await file_at(self.bench.root, self.effect.revision, asked.path)
            if text is None:
                return f"error: there is no file {asked.path} at {self.effect.revision[:10]}; search_source finds names"
            lines = text.splitlines()
            some = lines[asked.first - 1 : asked.first - 1 + asked.count]
            after = asked.first + len(some) - 1
            id = await self._captured(
                "\n".join(some) + "\n",
                f"{asked.path} lines {asked.first} to {after} of {len(lines)}",
                asked.path,
            )
            self.sources[place] = id
        return self._page(tools.ReadEvidence(id=id, length=tools.MOST_CHARS))

    async def _captured(self, text: str, subject: str, path: str) -> str:
        return await self.witness.capture(
            "source",
            text.encode("utf-8", "replace"),
            subject=subject,
            obtained=Obtained(
                how=f"git show {self.effect.revision}:{path}",
                started_at=clock.now(),
                duration_s=0.0,
                exit_code=0,
            ),
        )

    async def _history(self, asked: tools.ReadHistory) -> str:
        root, revision = self.bench.root, self.effect.revision
        if asked.revision:
            text = await show_commit(root, asked.revision)
        elif asked.blame and asked.path:
            text = await blame(root, revision, asked.path)
        else:
            text = await log_of(root, revision, asked.path, asked.limit)
        return self._outside(text, "read_history")

    def _baseline(self, text: str) -> str:
        found = self.desk.state().settled("history", HistoryReceipt)
        rows = [
            f"{_one_line(one.id)}: red in {one.reds} of {one.runs} earlier runs, last {one.last_outcome or 'unknown'}"
            + (f", last green on {one.last_green_revision[:10]}" if one.last_green_revision else "")
            for one in (found.tests if found else ())
            if text in one.id
        ]
        return "\n".join(rows) or "no earlier run of this target saw such a test"

    async def _probe(self, name: str) -> str:
        known: Mapping[str, object] = {one.name: one for one in self.bench.policy.services}
        if name not in known:
            return f"error: there is no service {name}; there are: {', '.join(known) or 'none'}"
        deployment = _standing(self.desk)
        if deployment is None:
            return "error: nothing is deployed now; the evidence has the answers of before"
        report = await probe_service(
            self.bench.policy.service(name),
            urls=self.bench.urls(deployment),
            settings=self.bench.environment,
            witness=self.witness,
        )
        return (
            "\n".join(self.shown(one.evidence) for one in report.reports if one.evidence) or "it has no probe"
        )

    async def _try(self, asked: tools.TryPatch) -> str:
        if self.tries >= _MOST_TRIES:
            return f"refused: {_MOST_TRIES} patches were tried, which is all that is allowed"
        self.tries += 1
        candidate = Candidate(
            key=f"{self.effect.key}/try-{self.tries}",
            revision=self.effect.revision,
            selections=self.effect.tests,
            diff=asked.diff,
            edits=asked.edits,
        )
        tried = await try_patch(candidate, self.bench, self.witness)
        if tried.problem:
            return f"refused: {self.clean(_one_line(tried.problem))}"
        results = [one for run in tried.runs for one in run.results if one.not_run != "deselected"]
        wanted = {test for chosen in self.effect.tests for test in chosen.tests}
        green = {one.id for one in results if one.outcome == "green"}
        lines = [
            f"{one.id}: {one.outcome}" + (f": {one.failure.message[:_MESSAGE_CHARS]}" if one.failure else "")
            for one in results
        ]
        said = "green" if wanted and wanted <= green else "red"
        return f"{said}\n{self._outside(chr(10).join(lines) or 'no test ran', 'try_patch')}"


def _line(known: Evidence) -> str:
    return f"{known.id} {known.kind} {_one_line(known.subject)} {known.size_bytes} bytes"


def _one_line(text: str) -> str:
    """A name that somebody else gave ends no line and begins none."""
    return " ".join(text.split())


def _standing(desk: Desk) -> str | None:
    """The deployment that is up now, if any."""
    state = desk.state()
    up: list[str] = []
    for record in state.effects.values():
        if record.generation != state.generation:
            continue
        if isinstance(record.receipt, DeployReceipt) and not record.receipt.problem:
            up.append(record.receipt.deployment)
        elif isinstance(record.receipt, StopReceipt) and record.receipt.deployment in up:
            up.remove(record.receipt.deployment)
    return up[-1] if up else None
