"""Settings of a service, read from its environment."""

import os


class MissingSetting(Exception):
    """A setting the service cannot do without is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set")
        self.name = name


def required(name: str) -> str:
    """The value of a setting, which must be set and not empty."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise MissingSetting(name)
    return value


def optional(name: str, default: str = "") -> str:
    """The value of a setting, or the default when it is not set."""
    return os.environ.get(name, "").strip() or default


def base_url(name: str) -> str:
    """The base URL of another service, without a trailing slash."""
    return required(name).rstrip("/")


def port() -> int:
    """The TCP port to listen on."""
    return int(required("PORT"))
