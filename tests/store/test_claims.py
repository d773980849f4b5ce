from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

from phraseproof.store.claims import LOCKS_FOLDER, Claims
from phraseproof.store.locks import LockOptions


def _claims(path: Path) -> Claims:
    return Claims(path, LockOptions(), print)


def _hold(path: str) -> None:
    with _claims(Path(path)).hold(["a", "b"]):
        (Path(path) / "held").touch()
        time.sleep(60)


def test_a_claim_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    (tmp_path / LOCKS_FOLDER).mkdir()
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(str(tmp_path),))
    process.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "held").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    claims = _claims(tmp_path)
    (holder,) = claims.holders(["b"])
    assert (holder.process.pid, holder.identities) == (process.pid, frozenset("ab"))
    assert claims.holders(["c"]) == []
    assert not holder.process.is_stopped
    if sys.platform == "linux":
        os.kill(holder.process.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 5
        while not holder.process.is_stopped and time.monotonic() < deadline:
            time.sleep(0.02)
        assert holder.process.is_stopped
        assert claims.holders(["b"]) == [holder], "a paused process keeps its cells"
        os.kill(holder.process.pid, signal.SIGCONT)
    with claims.hold(["b", "c"]) as mine:
        assert mine == {"c"}
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with claims.hold(["b", "c"]) as mine:
        assert mine == {"b", "c"}
    assert claims.holders() == []
