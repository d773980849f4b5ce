"""Several processes on one run folder: as many devices as are named, whatever becomes of some of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.errors import ModelError, UsageError
from phraseproof.evaluation.represent import represent
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.workers import DeviceWorkers, named_devices, on_device
from phraseproof.models import ModelOptions
from support.parity_project import write_project

EXAMPLES = 12
WORDINGS = 10


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


class Listener:
    """Remembers what it is told, and may act on progress."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def started(self, *, total: int, done: int) -> None:
        self.total, self.done = total, done

    def advanced(self, prompts: int) -> None:
        self.done += prompts

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


def evaluate(project: Path, out: str, device: str, listener: Listener, **args: str) -> phraseproof.Run:
    return phraseproof.evaluate(
        "scripted",
        str(project / "task.yaml"),
        {"mine": str(project / "wordings.yaml")},
        project / out,
        model_options=ModelOptions(device=device, args=args),
        observer=listener,
    )


def rows_of(run: Any) -> list[dict[str, object]]:
    return sorted(run.outcomes().to_pylist(), key=lambda row: (row["instruction"], row["example_id"]))


def children() -> set[int]:
    """The processes that this one started and that multiprocessing knows."""
    import multiprocessing

    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


@pytest.mark.slow
def test_two_processes_write_the_rows_of_one(project: Path) -> None:
    listener = Listener()
    alone = evaluate(project, "alone", "cpu", Listener())
    before = children()
    shared = evaluate(project, "shared", "cpu,cpu", listener)
    assert rows_of(shared) == rows_of(alone)
    assert listener.total == listener.done == EXAMPLES * WORDINGS
    assert listener.warnings == []
    assert shared.settings == alone.settings
    assert shared.content["usage"]["tokens_computed"] == alone.content["usage"]["tokens_computed"]
    assert children() == before
    again = Listener()
    evaluate(project, "shared", "cpu,cpu", again)
    assert again.done == again.total


@pytest.mark.slow
def test_a_process_that_is_killed_loses_nothing(project: Path) -> None:
    alone = evaluate(project, "alone", "cpu", Listener())
    listener = Listener()
    before = children()

    def kill_one() -> None:
        # Once cells are being stored, so that it dies with some in its hands.
        for _ in range(600):
            if listener.done > 0:
                os.kill(min(children() - before), signal.SIGKILL)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one)
    killer.start()
    shared = evaluate(project, "shared", "cpu,cpu", listener, delay_s="0.02")
    killer.join()
    assert rows_of(shared) == rows_of(alone)
    assert len(listener.warnings) == 1
    assert "the process on cpu (process " in listener.warnings[0]
    assert "ended with signal 9; the others compute its share" in listener.warnings[0]


def planned(project: Path, device: str, **args: str) -> Evaluation:
    request = EvaluationRequest.of(
        "scripted",
        str(project / "task.yaml"),
        {"mine": str(project / "wordings.yaml")},
        model_options=ModelOptions(device=device, args=args),
    )
    return resolve(request)


@pytest.mark.slow
def test_processes_do_not_read_files_of_tasks_and_wordings_again(project: Path) -> None:
    alone = evaluate(project, "alone", "cpu", Listener())
    evaluation = planned(project, "cpu,cpu")
    inputs = [path for path in project.iterdir() if path.is_file()]
    assert inputs
    for path in inputs:
        path.unlink()
    assert rows_of(evaluation.run(project / "shared")) == rows_of(alone)


@pytest.mark.slow
def test_where_every_process_fails_one_line_says_why(project: Path) -> None:
    workers = planned(project, "cpu,cpu").workers
    assert isinstance(workers, DeviceWorkers)
    broken = replace(workers, compute=partial(os.path.join, "gone"))
    listener = Listener()
    with pytest.raises(ModelError, match=r"^the process on cpu \(process \d\) failed: TypeError"):
        broken.work(project / "out", listener, self_test=False)
    assert len(listener.warnings) == 1
    assert listener.warnings[0].endswith("; the others compute its share")


def test_devices_are_named_with_commas() -> None:
    assert named_devices(ModelOptions(device="cuda:0, cuda:1")) == ("cuda:0", "cuda:1")
    assert named_devices(ModelOptions(args={"device": "cpu,cpu"})) == ("cpu", "cpu")
    assert named_devices(ModelOptions()) == ("auto",)
    one = on_device(ModelOptions(device="cpu,cpu", args={"device": "cuda:0,cuda:1", "seed": "3"}), "cuda:1")
    assert (one.device, dict(one.args)) == ("cuda:1", {"seed": "3"})
    with pytest.raises(UsageError, match="--device: a device has no name"):
        named_devices(ModelOptions(device="cuda:0,"))


def test_planning_uses_the_first_device_alone(project: Path) -> None:
    evaluation = planned(project, "cpu,cpu", seed="3")
    assert evaluation.workers is not None
    assert evaluation.workers.names == ("cpu", "cpu")
    assert evaluation.forecast().prompts == EXAMPLES * WORDINGS
    with pytest.raises(UsageError, match="--device: vectors are read on one device"):
        represent(evaluation, project / "out")
