"""Trainings on workers: in parallel, continued from what came, and each failing alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.errors import ModelError, RunError, StoppedError
from phraseproof.evaluation.distributed import sent_folders
from phraseproof.evaluation.distributed.messages import Event, FilePart, FolderWhole, Ready, WorkerFailed, WorkerLost
from phraseproof.evaluation.distributed.trainings import MOST_LOSSES, train_on_workers
from phraseproof.training.folder import locked
from support.growing_run import Listener
from support.inline_pool import InlinePool
from support.training_jobs import WritingJob


@pytest.fixture(autouse=True)
def every_checkpoint_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_folders, "_SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(sent_folders, "_SHARE_OF_TIME", 1e9)


def job(folder: Path, name: str, **changes: object) -> WritingJob:
    return WritingJob(name, folder / name, **{"steps": 3, "files": {"weights": 10}, **changes})  # pyright: ignore[reportArgumentType]


def train(jobs: list[WritingJob], pool: InlinePool, listener: Listener | None = None) -> None:
    train_on_workers(jobs, pool, listener or Listener())


def record(of: WritingJob) -> dict[str, object]:
    return json.loads((of.folder / "phraseproof.json").read_text())


def test_as_many_are_trained_at_a_time_as_there_are_workers(tmp_path: Path) -> None:
    jobs = [job(tmp_path, f"job{number}") for number in range(5)]
    pool, listener = InlinePool(room=2), Listener()
    train(jobs, pool, listener)
    assert pool.started == [1, 2]
    assert sorted(pool.trained) == [0, 1, 2, 3, 4]
    for each in jobs:
        assert sorted(path.name for path in each.folder.iterdir()) == ["phraseproof.json", "weights"]
        assert record(each) == {"version": 1, "finished": True, "device": "cpu", "began": [0]}
    assert "job4: done; trainings that are left: 0" in listener.notes
    assert listener.warnings == []
    few = InlinePool(room=4)
    train([job(tmp_path, "one more")], few)
    assert few.started == [1]


def lose_after(*states: int) -> tuple[InlinePool, list[int]]:
    """A pool that loses a worker right after so many whole states of a training, once for each number."""
    left = list(states)

    def lose(worker: int, events: list[Event]) -> list[Event]:
        if not left or not any(isinstance(event, FolderWhole | FilePart) for event in events):
            return events
        wanted, kept = left.pop(0), list[Event]()
        for event in events:
            if isinstance(event, FolderWhole):
                wanted -= 1
            if wanted < 0:
                break
            kept.append(event)
        return [*kept, WorkerLost("signal 9")]

    return InlinePool(room=1, mishap=lose), left


def test_a_lost_worker_s_training_continues_from_what_came(tmp_path: Path) -> None:
    (pool, _), listener, one = lose_after(1, 1), Listener(), job(tmp_path, "one", steps=5)
    train([one], pool, listener)
    assert record(one)["began"] == [0, 1, 2]
    assert pool.started == [1, 2, 3]
    assert listener.warnings[0] == "worker 1 was lost: signal 9; one continues from the last checkpoint that came"
    assert (one.folder / "weights").read_bytes() == b"w" * 10
    assert not (one.folder / ".training").exists()


def test_a_training_that_ends_its_workers_fails_and_the_others_do_not(tmp_path: Path) -> None:
    pool, _ = lose_after(*[0] * MOST_LOSSES)
    one, other = job(tmp_path, "one"), job(tmp_path, "other")
    with pytest.raises(ModelError, match=rf"^one: {MOST_LOSSES} workers were lost while they trained it.*signal 9"):
        train([one, other], pool)
    assert record(other)["finished"]
    train([one], InlinePool())
    assert record(one)["finished"]


def test_a_training_that_fails_keeps_what_it_wrote_and_the_others_end(tmp_path: Path) -> None:
    errors = [RunError(f"no finite number in {tmp_path / name}", where=str(tmp_path / name)) for name in ("a", "b")]
    jobs = [job(tmp_path, name, error=error) for name, error in zip("ab", errors, strict=True)]
    fine, listener = job(tmp_path, "fine"), Listener()
    with pytest.raises(RunError, match="no finite number") as raised:
        train([*jobs, fine], InlinePool(room=1), listener)
    assert raised.value.where == str(tmp_path / "a")
    assert listener.warnings == [f"b failed: {errors[1]}"]
    assert record(fine)["finished"]
    assert (jobs[0].folder / ".training" / "step-00000003" / "weights").exists()


def test_a_stopped_command_continues(tmp_path: Path) -> None:
    class Stopping(Listener):
        def noted(self, message: str) -> None:
            if message.startswith("a: done"):
                raise KeyboardInterrupt

    jobs = [job(tmp_path, name) for name in "abc"]
    with pytest.raises(KeyboardInterrupt, match=r"stopped: 1 of 3 trainings are done, .* the same command continues"):
        train(jobs, InlinePool(room=1), Stopping())
    rest = [each for each in jobs if not (each.folder / "phraseproof.json").exists()]
    assert [each.title for each in rest] == ["b", "c"]
    train(rest, InlinePool())
    assert all(record(each)["finished"] for each in jobs)


def test_where_no_worker_can_work_one_line_says_why(tmp_path: Path) -> None:
    def refuse(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerFailed("another version")] if any(isinstance(each, Ready) for each in events) else events

    with pytest.raises(StoppedError, match=r"^another version\. 0 of 1 trainings are done"):
        train([job(tmp_path, "one")], InlinePool(mishap=refuse))

    def lose(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerLost("out of memory")]

    pool = InlinePool(mishap=lose)
    with pytest.raises(StoppedError, match="workers end again and again before they train anything: out of memory"):
        train([job(tmp_path, "one")], pool)
    assert 2 < len(pool.started) < 20


def test_the_training_of_a_worker_that_fails_is_done_by_another_one(tmp_path: Path) -> None:
    def fail(worker: int, events: list[Event]) -> list[Event]:
        works = any(isinstance(each, FolderWhole) for each in events)
        return [WorkerFailed("no space left on device")] if works and worker == 1 else events

    pool, listener, one = InlinePool(room=2, mishap=fail), Listener(), job(tmp_path, "one")
    train([one, job(tmp_path, "other")], pool, listener)
    assert pool.trained.count(0) == 2
    assert record(one)["finished"]
    assert listener.warnings == ["worker 1 failed: no space left on device; the others do its trainings"]


def test_two_commands_do_not_train_into_one_folder(tmp_path: Path) -> None:
    one = job(tmp_path, "one")
    with locked(one.folder), pytest.raises(RunError, match="another process is training into this folder"):
        train([one], InlinePool())
