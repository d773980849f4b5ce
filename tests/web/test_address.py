"""Sockets on loopback, and how a server answers on them."""

from __future__ import annotations

import socket

import pytest
from starlette.responses import PlainTextResponse

from phraseproof.errors import UsageError
from phraseproof.web.address import address_of, is_loopback, server_config, take_port


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a.org", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_free_port_is_found_and_named() -> None:
    with take_port("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        assert port > 0
        assert address_of(sock, "127.0.0.1") == f"http://127.0.0.1:{port}"
        assert address_of(sock, "::1") == f"http://[::1]:{port}"


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot listen") as error:
            take_port("127.0.0.1", port)
    assert str(error.value).count(str(port)) == 1


def test_addresses_are_not_logged_and_proxies_are_trusted_only_if_named() -> None:
    config = server_config(PlainTextResponse("ok"))
    assert not config.access_log
    assert not config.proxy_headers
    assert server_config(PlainTextResponse("ok"), ("10.0.0.1",)).forwarded_allow_ips == ["10.0.0.1"]
