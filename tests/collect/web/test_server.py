"""Addresses: loopback by default, others only with the address that people use."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from phraseproof.collect.invitations import last_address
from phraseproof.collect.project_tasks import new_project
from phraseproof.collect.web.rates import WRONG_LINKS
from phraseproof.collect.web.server import listen, require_packages, serve
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.web.address import server_config
from support.collect_site import BASE, CollectSite
from support.collecting import write_tickets


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
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot listen") as error:
            listen("127.0.0.1", port, None)
    assert str(error.value).count(str(port)) == 1


def test_links_made_later_know_where_the_form_was_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda _server, sockets: None)
    listening = listen("127.0.0.1", 0, "https://wordings.example.org")
    with listening.sock, new_project(tmp_path / "project", [str(write_tickets(tmp_path))]) as store:
        assert last_address(store.folder) is None
        serve(store, listening)
        assert last_address(store.folder) == "https://wordings.example.org"


@pytest.mark.parametrize(("trusted", "status"), [((), 429), (("10.0.0.9",), 429), (("testclient",), 403)])
def test_forwarded_addresses_count_only_from_a_trusted_proxy(
    tmp_path: Path, trusted: tuple[str, ...], status: int
) -> None:
    config = server_config(CollectSite(tmp_path / "project").app, trusted)
    config.load()
    app: Any = config.loaded_app
    client = TestClient(app, base_url=BASE)  # its address is `testclient`
    for number in range(WRONG_LINKS):
        client.get("/i/wrong", headers={"x-forwarded-for": f"10.1.0.{number}"})
    assert client.get("/i/wrong", headers={"x-forwarded-for": "10.1.0.200"}).status_code == status


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    require_packages()
    monkeypatch.setattr("phraseproof.collect.web.server.find_spec", lambda name: None if name == "limits" else name)
    with pytest.raises(MissingExtraError, match=r"the package limits, .* pip install 'phraseproof\[collect\]'"):
        require_packages()
