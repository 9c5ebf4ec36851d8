"""What a person configures about the target: services, probes, suites, focuses, deployment, forge, model."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from goldenpath_loop.records.base import Record, ServiceName, SuiteName

__all__ = [
    "DeploySpec",
    "FocusSpec",
    "ForgeSpec",
    "LoginSpec",
    "LoopSpec",
    "ModelSpec",
    "ProbeSpec",
    "ServiceSpec",
    "SuiteSpec",
    "TargetSpec",
]


class LoginSpec(Record):
    """How a probe gets a token before it knocks."""

    model_config = ConfigDict(populate_by_name=True)

    url: str
    json_body: dict[str, str] = Field(default_factory=dict, alias="json")
    field: str = "token"
    """JSON field of the answer that holds the token."""


class ProbeSpec(Record):
    """One question put to one service."""

    name: str
    kind: Literal["http", "websocket", "tcp", "tls", "dns"]
    path: str = "/"
    method: str = "GET"
    status: int = 200
    """HTTP status that counts as an answer."""
    headers: dict[str, str] = Field(default_factory=dict)
    dependencies: str = ""
    """JSON field that lists the service's own dependencies, name to `{status, response_time_ms}`."""
    subprotocols: tuple[str, ...] = ()
    login: LoginSpec | None = None
    send: str = ""
    """Message to send after the handshake; empty for none."""
    collect: int = Field(default=0, ge=0)
    """How many messages to read afterwards."""
    hold_s: float = Field(default=0.2, ge=0)
    """How long the socket must stay open after the handshake."""
    timeout_s: float = Field(default=5.0, gt=0)


class ServiceSpec(Record):
    """One service of the target."""

    name: ServiceName
    url: str = ""
    start: tuple[str, ...] = ()
    """Command that runs it from a tree; services with one can be previewed at any revision."""
    port: int = Field(default=0, ge=0, le=65535)
    env: dict[str, str] = Field(default_factory=dict)
    required_settings: tuple[str, ...] = ()
    critical: bool = True
    revision: str = ""
    """JSON field of the first HTTP probe that names the served revision."""
    probes: tuple[ProbeSpec, ...] = ()


class DeploySpec(Record):
    """How a revision gets to where the tests look."""

    adapter: Literal["process", "command", "none"] = "none"
    command: tuple[str, ...] = ()
    env_file: str = ""
    ready_timeout_s: float = Field(default=30.0, gt=0)


class SuiteSpec(Record):
    """One test suite: a pytest path, or a command that writes JUnit XML."""

    name: SuiteName
    path: str = ""
    command: tuple[str, ...] = ()
    junit: str = ""
    """Where the command writes its JUnit XML, relative to the tree."""
    markers: str = ""
    """A pytest `-m` expression."""
    priority: int = Field(default=3, ge=1, le=6)
    needs: tuple[ServiceName, ...] = ()
    value_at_risk_usd: float = Field(default=0.0, ge=0)
    """Revenue a month that this suite protects."""
    timeout_s: float = Field(default=600.0, gt=0)
    idle_timeout_s: float = Field(default=120.0, gt=0)
    may_skip: tuple[str, ...] = ()
    """Tests that may skip themselves or be marked to fail without costing the suite its pass; `*` matches anything."""
    env: dict[str, str] = Field(default_factory=dict)
    fails_with: str = ""
    """Text that the output of a command's failure has; another failure says nothing."""
    setup: tuple[str, ...] = ()
    """Command that builds the folder `{environment}` in which the tree's dependencies lie."""
    setup_files: tuple[str, ...] = ()
    """Files that say what it builds, like a lock file; trees in which they are alike share one environment."""

    @property
    def is_pytest(self) -> bool:
        """Whether the loop runs pytest itself and sees every test as it ends."""
        return not self.command


class FocusSpec(Record):
    """A named choice of suites. Both lists empty means every suite."""

    name: str
    suites: tuple[SuiteName, ...] = ()
    priorities: tuple[int, ...] = ()

    def selects(self, suite: SuiteSpec) -> bool:
        """Whether `suite` belongs to this focus."""
        if not self.suites and not self.priorities:
            return True
        return suite.name in self.suites or suite.priority in self.priorities


class TargetSpec(Record):
    """The repository under care."""

    name: str
    branch: str = "main"
    remote: str = "origin"
    tests: tuple[str, ...] = ("tests/",)
    """Path prefixes that no remedy may touch; they travel with the failing test to older commits."""
    packages: tuple[str, ...] = ()
    """Import names of the code under test; empty: those that the tree itself shows."""
    patchable: tuple[str, ...] = ()
    """Path prefixes that a patch of an agent may touch; empty: everything that is no test."""
    python: str = "{python}"
    index: str = ""

    def protects(self, path: str) -> bool:
        """Whether `path` lies below one of the protected prefixes."""
        folders = (prefix.removeprefix("./").rstrip("/") for prefix in self.tests)
        return any(folder in ("", ".", path) or path.startswith(f"{folder}/") for folder in folders)


class ForgeSpec(Record):
    """Where pull requests go."""

    kind: Literal["local"] = "local"


class ModelSpec(Record):
    """An OpenAI-compatible endpoint. Empty name: the loop works from instruments alone."""

    name: str = ""
    """Model of the agents; `fast` and `strong` stand in for it where they are named."""
    fast: str = ""
    strong: str = ""
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    """Variable that holds the key; when it is not set and there is no command, none is sent."""
    api_key_command: tuple[str, ...] = ()
    """Prints the key; asked once at the start of a run."""
    concurrency: int = Field(default=4, ge=1)
    """Calls at once, over all dispatches."""
    requests_per_minute: int = Field(default=0, ge=0)
    """0: no limit of the loop's own."""
    tokens_per_minute: int = Field(default=0, ge=0)
    timeout_s: float = Field(default=120.0, gt=0)
    """Longest silence of the server within one call."""
    answer_tokens: int = Field(default=4096, ge=16)
    """Most tokens of one answer."""
    context_tokens: int = Field(default=64_000, ge=2_000)
    """Most tokens of one conversation; older tool results are put aside to stay below, and said to be."""
    prompt_usd: float | None = Field(default=None, ge=0)
    """Price of a million prompt tokens; unknown prices count as the ceiling."""
    cached_usd: float | None = Field(default=None, ge=0)
    answer_usd: float | None = Field(default=None, ge=0)
    ceiling_usd: float = Field(default=75.0, ge=0)
    """What a million tokens of unknown price are taken to cost."""

    def named(self, tier: str) -> str:
        """The model for agents of one tier."""
        return {"fast": self.fast, "strong": self.strong}.get(tier, "") or self.name


class LoopSpec(Record):
    """How the loop itself runs on this machine."""

    runs: str = "runs"
    worktrees: str = ""
    own_home: bool = False
    """Whether every run of a suite finds an empty home folder of its own."""
    jobs: int = Field(default=2, ge=1)
