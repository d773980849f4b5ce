"""The viewer as it is started and ended."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import MissingExtraError, RunError, UsageError
from phraseproof.viewer import view as module
from phraseproof.viewer.view import prepared, show
from support.viewed_runs import write_options_run


def test_python_shows_a_run_until_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module, "show", lambda url: opened.append(url) or True)
    run = phraseproof.load_run(write_options_run(tmp_path / "run"))
    with phraseproof.view(run) as viewing:
        assert opened == [viewing.url]
        assert viewing.url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(viewing.url) as answer:
            assert b"Wordings on" in answer.read()
        waiting = threading.Thread(target=viewing.wait)
        waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(viewing.url)


@pytest.mark.parametrize("end", ["", "viewing.close()"])
def test_a_script_ends_in_silence(tmp_path: Path, end: str) -> None:
    run = write_options_run(tmp_path / "run")
    script = f"""
import phraseproof, urllib.request
viewing = phraseproof.view({str(run)!r}, open_browser=False)
urllib.request.urlopen(viewing.url + "/examples?run=.").read()
{end}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_only_loopback_is_answered(tmp_path: Path) -> None:
    viewing = prepared(write_options_run(tmp_path / "run"), 0)
    try:
        assert viewing._sock.getsockname()[0] == "127.0.0.1"
    finally:
        viewing._sock.close()


def test_wrong_input_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        phraseproof.view(tmp_path / "none", open_browser=False)
    run = write_options_run(tmp_path / "run")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="cannot listen"):
        phraseproof.view(run, port=taken.getsockname()[1], open_browser=False)


def test_a_missing_package_is_named_with_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(MissingExtraError, match=r"the package uvicorn, .* pip install 'phraseproof\[view\]'"):
        prepared(tmp_path, 0)


@pytest.mark.parametrize(("display", "expected"), [("", False), (":0", True)])
def test_no_browser_is_opened_without_a_screen(monkeypatch: pytest.MonkeyPatch, display: str, expected: bool) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.open", lambda _url: True)
    assert show("http://127.0.0.1:1") is expected
