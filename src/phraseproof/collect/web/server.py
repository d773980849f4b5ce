"""Run the form: a project that is made or resumed, and a server that ends cleanly."""

from __future__ import annotations

import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import urlsplit

from phraseproof.collect.invitations import remember_address
from phraseproof.collect.store import CollectStore
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.web.address import address_of, is_loopback, server_config, take_port


class Listening(NamedTuple):
    """A socket that waits for browsers, and the address under which people reach it."""

    sock: socket.socket
    base_url: str


def require_packages() -> None:
    """Check that the packages of the form are installed.

    Raises:
        MissingExtraError: one is not.
    """
    for package in ("babel", "itsdangerous", "limits", "starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError("the form", extra="collect", package=package)


def listen(host: str, port: int, base_url: str | None) -> Listening:
    """Take an address. Without a `base_url`, only loopback: links need an address that other machines reach.

    Args:
        host: a name or an IP address.
        port: 0 takes any that is free.
        base_url: the address under which people reach the form, if a proxy or another machine is in between.

    Raises:
        UsageError: not loopback and no `base_url`, not an address of the web, or one that cannot be taken.
    """
    if base_url is None and not is_loopback(host):
        raise UsageError(
            f"--host {host} is open to other machines, and links need the address that people use",
            where="--host",
            hint="Add --base-url https://HOST; docs/collect.md describes a proxy with TLS",
        )
    if base_url is not None:
        _require_web_address(base_url)
    sock = take_port(host, port)
    return Listening(sock, (base_url or address_of(sock, host)).rstrip("/"))


def serve(store: CollectStore, listening: Listening, *, trusted_proxies: tuple[str, ...] = ()) -> None:
    """Answer browsers until the process is stopped (Ctrl-C, SIGTERM); running requests are answered.

    Args:
        store: the project.
        listening: from `listen`; the caller closes its socket.
        trusted_proxies: IP addresses of proxies whose forwarded headers are believed; from others they are ignored.
    """
    import uvicorn

    from phraseproof.collect.web.app import application

    remember_address(store.folder, listening.base_url)
    app = application(store.folder, base_url=listening.base_url)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean end
        uvicorn.Server(server_config(app, trusted_proxies)).run(sockets=[listening.sock])


def _require_web_address(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise UsageError(
            "not an address of the web", expected="https://HOST or http://HOST:PORT", got=base_url, where="--base-url"
        )
