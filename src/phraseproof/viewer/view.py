"""Serve the pages of the viewer on loopback: in a thread for Python, until Ctrl-C for the command line."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from phraseproof.errors import MissingExtraError
from phraseproof.store.queries import Run, load_run
from phraseproof.store.urls import url_of
from phraseproof.viewer.library import Library
from phraseproof.web.address import address_of, server_config, take_port

if TYPE_CHECKING:
    import socket

    from uvicorn import Server

_HOST = "127.0.0.1"
_CLOSING_S = 10.0


class Viewing:
    """A viewer that answers browsers of this machine. Closes when it is used as a context manager, or by `close`.

    Attributes:
        url: where it is.
    """

    def __init__(self, server: Server, sock: socket.socket, url: str, library: Library) -> None:
        self.url = url
        self._server, self._sock, self._library = server, sock, library
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Answer in a separate thread, which ends with the process."""
        self._thread = threading.Thread(target=self.run, name="phraseproof view", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # DuckDB reports connections that are open at exit
        return self

    def run(self) -> None:
        """Answer in this thread until Ctrl-C, SIGTERM or `close`."""
        try:
            with suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean end
                self._server.run(sockets=[self._sock])
        finally:
            self._sock.close()
            self._library.clear()

    def wait(self) -> None:
        """Wait until Ctrl-C or `close`, as a script does that has nothing else to do."""
        try:
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            self.close()

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_CLOSING_S)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        """The viewer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop answering."""
        self.close()

    def __repr__(self) -> str:
        """Its address, as a notebook shows it."""
        return f"<phraseproof viewer at {self.url}>"


def view(run: Run | str | Path, *, port: int = 0, open_browser: bool = True) -> Viewing:
    """Show a run, or all runs of a folder, on a page of this machine, as `phraseproof view` does.

        with phraseproof.view("runs/p") as viewing:
            viewing.wait()

    The page is answered by a thread of this process. Only this machine reaches it, and it changes nothing.

    Args:
        run: a run folder or its URL, a folder with runs below it, or a run that `load_run` opened.
        port: 0 takes one that is free.
        open_browser: open the page in the browser, where there is a screen.

    Returns:
        Its `url`, and `close()`.

    Raises:
        RunError: there is no run.
        UsageError: the port is taken.
        MissingExtraError: the extra `view` is not installed.
    """
    viewing = prepared(run.path if isinstance(run, Run) else Path(run), port).start()
    if open_browser:
        show(viewing.url)
    return viewing


def prepared(root: Path, port: int) -> Viewing:
    """A viewer that listens and does not answer yet. Raises as `view`."""
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError("the viewer", extra="view", package=package)
    import uvicorn

    from phraseproof.viewer.app import application

    if url_of(root) is not None:
        root = load_run(root).path
    library = Library()
    app = application(root, library)
    sock = take_port(_HOST, port)
    return Viewing(uvicorn.Server(server_config(app)), sock, address_of(sock, _HOST), library)


def show(url: str) -> bool:
    """Open a page in the browser, and say whether that was tried: not without a screen, in a text browser."""
    has_screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return has_screen and webbrowser.open(url)
