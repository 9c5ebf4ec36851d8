"""Free ports are free and different; a taken one has a holder."""

from __future__ import annotations

import os
import socket
import sys

from goldenpath_loop.deploy.ports import free_ports, holder_of, is_taken


def test_free_ports_differ_and_can_be_used() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        assert not is_taken(port)


def test_promised_ports_are_avoided() -> None:
    promised = {port for _ in range(20) for port in free_ports(400)}
    assert promised.isdisjoint(free_ports(20, avoid=promised))


def test_a_port_somebody_listens_on_is_taken_on_every_address() -> None:
    with socket.create_server(("", 0)) as holder:
        assert is_taken(holder.getsockname()[1])


def test_a_port_whose_last_connection_fades_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            holder.accept()[0].close()
    assert not is_taken(port)


def test_the_holder_is_named_where_the_system_tells() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        found = holder_of(holder.getsockname()[1])
    assert found.startswith(f"pid {os.getpid()} (") if sys.platform == "linux" else found == ""


def test_nobody_holds_a_free_port() -> None:
    assert holder_of(free_ports(1)[0]) == ""
