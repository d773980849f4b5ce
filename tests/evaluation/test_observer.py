"""What an evaluation reports of its progress adds up, and who does not listen changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.evaluation.observer import Observer, SilentObserver
from support.growing_run import EXAMPLES, Listener, Model, evaluate, rows_of


class Recorder:
    """Keeps every call in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def noted(self, message: str) -> None:
        self.calls.append(("noted", message))

    def started(self, *, total: int, done: int) -> None:
        self.calls.append(("started", (total, done)))

    def advanced(self, prompts: int) -> None:
        self.calls.append(("advanced", prompts))

    def warned(self, message: str) -> None:
        self.calls.append(("warned", message))


def test_the_reported_prompts_add_up_to_the_plan(tmp_path: Path) -> None:
    recorder = Recorder()
    observer: Observer = recorder
    evaluate(tmp_path, Model(), wordings=1)
    evaluate(tmp_path, Model(), wordings=3, observer=observer)
    (start,) = [value for name, value in recorder.calls if name == "started"]
    assert start == (3 * EXAMPLES, EXAMPLES)
    assert sum(value for name, value in recorder.calls if name == "advanced" and isinstance(value, int)) == 2 * EXAMPLES


def test_a_silent_observer_changes_nothing_and_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = evaluate(tmp_path / "silent", Model(), observer=SilentObserver())
    assert capsys.readouterr() == ("", "")
    heard = evaluate(tmp_path / "heard", Model(), observer=Listener())
    assert rows_of(silent) == rows_of(heard)
