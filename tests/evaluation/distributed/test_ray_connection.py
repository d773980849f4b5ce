"""The way to a cluster, as far as it is tried before Ray."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.evaluation.distributed.ray_connection import require_reachable
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.evaluate import evaluate
from support.parity_project import write_project


def test_where_nothing_listens_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        require_reachable(f"127.0.0.1:{port}")
        require_reachable(f"ray://127.0.0.1:{port}")
    expected = rf"^--workers: no Ray cluster answers at 127\.0\.0\.1:{port}: connection refused\. ray status shows it"
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(UsageError, match=expected):
            require_reachable(address)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    require_reachable("auto")
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(UsageError, match=rf"^RAY_ADDRESS: no Ray cluster answers at 127\.0\.0\.1:{port}"):
        require_reachable("auto")


def test_a_name_that_is_no_machine_and_a_port_that_is_none_are_no_tracebacks() -> None:
    with pytest.raises(UsageError, match=r"no Ray cluster answers at no-such-machine\.invalid:6379"):
        require_reachable("no-such-machine.invalid:6379")
    with pytest.raises(UsageError, match=r"no Ray cluster answers at 127\.0\.0\.1:99999"):
        require_reachable("127.0.0.1:99999")


def test_without_ray_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    project = write_project(tmp_path, examples=2, wordings=2)
    wordings = {"mine": project / "wordings.yaml"}
    with pytest.raises(MissingExtraError, match=r"--workers needs the package ray.*phraseproof\[ray\]"):
        evaluate("scripted", project / "task.yaml", wordings, tmp_path / "run", workers=WorkerOptions(count=2))
