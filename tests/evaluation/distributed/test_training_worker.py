"""A worker that trains: it refuses other versions, says how far it is, and names the command's folder."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from phraseproof.errors import MissingExtraError, ModelError, PhraseproofError, RunError
from phraseproof.evaluation.distributed import training_worker
from phraseproof.evaluation.distributed.messages import (
    Event,
    NumberedTraining,
    Ready,
    Said,
    TrainingDone,
    TrainingSetup,
    versions,
)
from phraseproof.evaluation.distributed.sent_folders import pack
from phraseproof.evaluation.distributed.training_worker import TrainingWorker
from phraseproof.training.log import TrainingObserver
from support.inline_pool import fetch
from support.training_jobs import WritingJob

TRAINS = TrainingSetup("cpu", versions(trains=True))


def trained(job: WritingJob) -> list[Event]:
    events: list[Event] = []
    worker = TrainingWorker(TRAINS, events.append, fetch)
    worker.prepare()
    worker.train(NumberedTraining(7, job, pack(job.folder, bytes)))
    return events


def test_other_versions_are_refused() -> None:
    setup = TrainingSetup("cpu", {**versions(trains=True), "peft": "0.1"})
    with pytest.raises(ModelError, match=r"the worker has another version of peft \(expected 0\.1, got "):
        TrainingWorker(setup, lambda _: None, fetch).prepare()


def test_it_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_worker, "_SECONDS_BETWEEN_REMARKS", -1.0)
    ready, *events = trained(WritingJob("align x", tmp_path / "x", steps=2))
    assert isinstance(ready, Ready)
    assert [event.text for event in events if isinstance(event, Said)] == [
        "align x: step 1 of 2: loss 1.0000",
        "align x: step 2 of 2: loss 0.5000",
    ]
    assert events[-1] == TrainingDone(7)


class Failing(WritingJob):
    """Fails, and names the folder that it was given."""

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        assert self.error is not None
        self.error.problem, self.error.where, self.error.hint = f"not in {folder}", str(folder), f"Look at {folder}"
        raise self.error


@pytest.mark.parametrize("error", [RunError(""), ModelError(""), MissingExtraError("this", extra="hf", package="peft")])
def test_an_error_names_the_folder_of_the_command(tmp_path: Path, error: PhraseproofError) -> None:
    done = trained(Failing("x", tmp_path / "x", error=error))[-1]
    assert isinstance(done, TrainingDone)
    done = pickle.loads(pickle.dumps(done))
    assert type(done.error) is type(error)
    assert str(done.error) == f"{tmp_path / 'x'}: not in {tmp_path / 'x'}. Look at {tmp_path / 'x'}"
