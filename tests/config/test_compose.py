"""Services and published ports are found in compose files as people write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goldenpath_loop.config.compose import ComposeService, compose_services

TEXT = """\
version: "3.9"
x-common: &common
  ports: ["1:1"]
services:
  # the front door
  edge:
    image: edge:latest
    ports:
      - "8000:80"   # public
      - 9000:90
    environment:
      - PORTS=1
  auth:
    ports:
    - 127.0.0.1:8001:80/tcp
    depends_on: [db]
  "chat.api":
    ports: ["${CHAT_PORT:-8002}:80", 5:5]
  worker:
    command: [run, "a:b"]
  long:
    ports:
      - target: 80
        published: "8003"
        protocol: tcp
  random:
    ports:
      - "80"
volumes:
  data:
    ports: ["7:7"]
"""


def test_each_service_has_the_first_port_it_publishes() -> None:
    assert compose_services(TEXT) == (
        ComposeService("edge", 8000),
        ComposeService("auth", 8001),
        ComposeService("chat.api", 8002),
        ComposeService("worker", 0),
        ComposeService("long", 8003),
        ComposeService("random", 0),
    )


@given(st.text(alphabet='services:pot -\n"[]{}#80$12,', max_size=200))
def test_any_text_is_read_and_ports_are_ports(text: str) -> None:
    assert all(0 <= service.port <= 65535 for service in compose_services("services:\n" + text))
