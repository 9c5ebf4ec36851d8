"""Every error this project raises on purpose, one tree, split by whose turn it is to act.

LoopError
├── UserError              the person who typed the command can mend it
│   ├── ConfigurationError     goldenpath.toml or its environment is wrong       exit 3
│   └── UsageError             the command line asks for something impossible    exit 2
├── LogError               the record of a run cannot be trusted or written      exit 1
│   ├── DamagedLogError        a line in the middle does not check
│   └── RunLockedError         another engine holds the run
├── WorldError             something outside did not do what it should           exit 1
│   ├── ProcessError           a program could not be started
│   ├── RepositoryError        git refused
│   ├── DeployError            a deployment could not be described or started
│   └── DiskError              a disk is full, read-only or gone: the run stops until it is mended
├── PutOffError            the run is to pause: a unit that was under way is done again later
└── InternalError          our own mistake: please report it                     exit 1

Expected failures of the world (a red test, a refused handshake, a service that does not start) are
receipts, not exceptions.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "DamagedLogError",
    "DeployError",
    "DiskError",
    "InternalError",
    "LogError",
    "LoopError",
    "ProcessError",
    "PutOffError",
    "RepositoryError",
    "RunLockedError",
    "UsageError",
    "UserError",
    "WorldError",
]


class LoopError(Exception):
    """Something stopped the command.

    Args:
        message: What went wrong, in one sentence.
        where: The file, line, key, command or service it concerns; empty when the message says it.
        advice: What the person can do next; empty when nothing can be said.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, where: str = "", advice: str = "") -> None:
        doc = (type(self).__doc__ or "").strip().splitlines()
        self.message = message or (doc[0] if doc else type(self).__name__)
        self.where = where
        self.advice = advice
        super().__init__(self.message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.advice}" if self.advice else text


class UserError(LoopError):
    """The command cannot be carried out as given."""

    exit_code = 2


class ConfigurationError(UserError):
    """The configuration is not usable."""

    exit_code = 3


class UsageError(UserError):
    """The command line asks for something impossible."""


class LogError(LoopError):
    """The session log cannot be used."""


class DamagedLogError(LogError):
    """A line of the session log does not check."""


class RunLockedError(LogError):
    """Another engine is working on this run."""


class WorldError(LoopError):
    """Something outside did not do what it should."""


class ProcessError(WorldError):
    """A program could not be started."""


class RepositoryError(WorldError):
    """Git refused."""


class DeployError(WorldError):
    """A deployment could not be made."""


class DiskError(WorldError):
    """The disk did not take what had to be written."""


class PutOffError(LoopError):
    """The run is to pause, so this is done again later."""


class InternalError(LoopError):
    """This is a mistake in goldenpath_loop itself; please report it."""
