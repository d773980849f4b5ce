"""Addresses: loopback by default, others only with the address that people use."""

from __future__ import annotations

import socket

import pytest

from phraseproof.collect.web.server import listen
from phraseproof.errors import CollectError, UsageError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_needs_no_address(host: str) -> None:
    listening = listen(host, 0, None)
    with listening.sock:
        assert listening.base_url == f"http://{host}:{listening.sock.getsockname()[1]}"


def test_other_hosts_need_the_address_that_people_use() -> None:
    with pytest.raises(UsageError, match="--base-url https://HOST"):
        listen("0.0.0.0", 0, None)
    listening = listen("0.0.0.0", 0, "https://wordings.example.org/")
    with listening.sock:
        assert listening.base_url == "https://wordings.example.org"


@pytest.mark.parametrize("base_url", ["example.org", "ftp://example.org", "https://example.org/path", "https://"])
def test_addresses_that_are_none(base_url: str) -> None:
    with pytest.raises(UsageError, match="not an address of the web"):
        listen("127.0.0.1", 0, base_url)


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CollectError, match="cannot listen"):
        listen("127.0.0.1", taken.getsockname()[1], None)
