"""Which service answers which path."""

from dataclasses import dataclass

BACKEND_PREFIXES = ("/api/", "/ws/", "/docs", "/openapi.json")
AUTH_PREFIX = "/auth/"


@dataclass(frozen=True)
class Upstreams:
    """Base URLs of the services behind the edge."""

    backend: str
    auth: str

    def find(self, path: str) -> str | None:
        """The full URL behind a path of the edge, or None when nobody answers it."""
        if path.startswith(AUTH_PREFIX):
            return self.auth + "/" + path.removeprefix(AUTH_PREFIX)
        if path.startswith(BACKEND_PREFIXES):
            return self.backend + path
        return None
