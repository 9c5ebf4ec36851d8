"""Which service answers which path."""

import pytest

from edge.upstreams import Upstreams


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/api/threads", "http://backend/api/threads"),
        ("/ws/chat", "http://backend/ws/chat"),
        ("/auth/login", "http://auth/login"),
        ("/nope", None),
    ],
)
def test_paths_go_to_their_service(path, url):
    assert Upstreams(backend="http://backend", auth="http://auth").find(path) == url
