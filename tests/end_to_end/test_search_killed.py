"""A search that is killed in a training and then in an evaluation ends as one that was not, and repeats nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from phraseproof.core import Prompt
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.training.log import SilentTrainingObserver, StepReport
from support.forked import fork_context
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama

STEPS = 4


class Kill(NamedTuple):
    """Where a process kills itself: after a step of its first training, or after some prompts of an evaluation."""

    step: int = 0
    evaluation: int = 0
    prompts: int = 0


class Steps(SilentTrainingObserver):
    def __init__(self, events: Path, kill: Kill) -> None:
        self._events, self._kill = events, kill

    def stepped(self, report: StepReport) -> None:
        if report.step:
            _write(self._events, {"step": report.step})
        if report.step and report.step == self._kill.step:
            os.kill(os.getpid(), signal.SIGKILL)


class Prompts(SilentObserver):
    def __init__(self, kill: Kill) -> None:
        self._kill = kill
        self._evaluations = self._prompts = 0

    def started(self, *, total: int, done: int) -> None:
        self._evaluations += 1
        self._prompts = 0

    def advanced(self, prompts: int) -> None:
        self._prompts += prompts
        if self._evaluations == self._kill.evaluation and self._prompts >= self._kill.prompts:
            os.kill(os.getpid(), signal.SIGKILL)


def search(model: str, out: str, events: str, kill: Kill) -> None:
    """One process's work. A checkpoint at every step and a journal line for every prompt, so that nothing is lost."""
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.evaluation import score_cells
    from phraseproof.hardening import SearchSettings
    from phraseproof.hardening.search_plan import SearchInput
    from phraseproof.instructions.collections import Collection
    from phraseproof.models.huggingface.model import HuggingFaceModel
    from phraseproof.reduction.method_search import search_and_keep

    stream = HuggingFaceModel.stream_scores

    def counted(self: HuggingFaceModel, prompts: Sequence[Prompt], *arguments: Any, **options: Any) -> Any:
        _write(Path(events), {"asked": len(prompts)})
        return stream(self, prompts, *arguments, **options)

    alignment = AlignmentSettings(
        max_steps=STEPS, num_tokens=2, held_out_fraction=0.0, save_every=1, gradient_accumulation=1
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HuggingFaceModel, "stream_scores", counted)
        patch.setattr(score_cells, "JOURNAL_INTERVAL_S", 0.0)
        patch.setattr("phraseproof.evaluation.run.check_model", lambda *_: [])  # asks a few prompts each time
        search_and_keep(
            model,
            SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))]),
            Path(out),
            SearchSettings(("pt",), {"": (1e-2,)}, alignment),
            observers=(Prompts(kill), Steps(Path(events), kill)),
        )


def _write(events: Path, event: dict[str, int]) -> None:
    with events.open("a") as stream:
        stream.write(json.dumps(event) + "\n")


def _read(events: Path, name: str) -> list[int]:
    found = [json.loads(line) for line in events.read_text().splitlines()]
    return [event[name] for event in found if name in event]


def _result(out: Path) -> dict[str, Any]:
    """What the search found, without paths and times."""
    found = json.loads((out / "search.json").read_text())
    for row in found["rows"]:
        del row["run"]
    for training in found["trainings"]:
        del training["folder"], training["seconds"]
    return {name: value for name, value in found.items() if name not in ("runs", "command")}


def _weights(out: Path) -> dict[str, bytes]:
    files = out.rglob("trained/adapter_model.safetensors")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_killed_search_ends_as_another_one(tmp_path: Path) -> None:
    context = fork_context()

    def run(name: str, kill: Kill) -> int:
        # The model's path is a part of what identifies a training.
        arguments = (str(tiny_llama()), str(tmp_path / name), str(tmp_path / f"{name}.jsonl"), kill)
        worker = context.Process(target=search, args=arguments)
        worker.start()
        worker.join()
        assert worker.exitcode is not None
        return worker.exitcode

    assert run("whole", Kill()) == 0
    assert run("parts", Kill(step=2)) == -signal.SIGKILL
    whole, parts = (tmp_path / f"{name}.jsonl" for name in ("whole", "parts"))
    assert _read(parts, "step") == [1, 2]
    # Validation and the choice of references, the trained model on validation, the test set, and now the last one.
    assert run("parts", Kill(evaluation=5, prompts=5)) == -signal.SIGKILL
    journals = set((tmp_path / "parts").rglob("journal/**/*.jsonl"))
    assert sum(path.read_bytes().count(b"}]\n") for path in journals) == 5
    lost = _read(parts, "asked")[-1] - 5
    assert lost > 0
    assert run("parts", Kill()) == 0

    assert _read(parts, "step") == _read(whole, "step") == [1, 2, 3, 4] * 2
    assert sum(_read(parts, "asked")) == sum(_read(whole, "asked")) + lost
    assert _result(tmp_path / "parts") == _result(tmp_path / "whole")
    assert len(weights := _weights(tmp_path / "parts")) == 2
    assert weights == _weights(tmp_path / "whole")
