"""Where a local server listens, and how it answers."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Config

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Hosts by which a browser on this machine may ask."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host, by its name or IP address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def take_port(host: str, port: int) -> socket.socket:
    """A socket that waits for browsers.

    Args:
        host: a name or an IP address.
        port: 0 takes any that is free.

    Raises:
        UsageError: the address cannot be taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        # Without what `create_server` adds, which names the address again.
        problem = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise UsageError(
            f"cannot listen: {problem}", where=f"{host}:{port}", hint="Choose another --port, or 0 for a free one"
        ) from None


def address_of(sock: socket.socket, host: str) -> str:
    """The address of a socket's server for a browser on this machine."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}"


def server_config(app: ASGIApp, trusted_proxies: tuple[str, ...] = ()) -> Config:
    """How an application is served. Addresses are not logged: they may hold the secrets of links."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        lifespan="off",
        h11_max_incomplete_event_size=32_768,
        limit_concurrency=2_000,
        timeout_keep_alive=75,  # longer than the usual proxies', and than most pauses of a person who writes
        timeout_graceful_shutdown=10,
    )
