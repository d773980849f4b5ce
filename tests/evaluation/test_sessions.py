from __future__ import annotations

import threading
from pathlib import Path

import pytest

from phraseproof.energy import codecarbon_tracker
from phraseproof.energy.session import read_sessions
from phraseproof.evaluation import sessions
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.run import Interrupted
from phraseproof.evaluation.sessions import devices_of
from phraseproof.store.run_file import read_run_file
from support.reading_task import CLEAR, VAGUE, Knowing, make_evaluation


class Stopping(SilentObserver):
    """Is Ctrl-C after the first prompts."""

    def advanced(self, prompts: int) -> None:
        raise KeyboardInterrupt


class WaitingForMeters(SilentObserver):
    """Lets the work go on when the tracking has started."""

    def advanced(self, prompts: int) -> None:
        for thread in threading.enumerate():
            if thread.name == "energy":
                thread.join()


def test_every_process_that_computes_adds_its_session(tmp_path: Path) -> None:
    evaluation = make_evaluation(Knowing(), CLEAR)
    with pytest.raises(Interrupted):
        evaluation.run(tmp_path, observer=Stopping())
    assert len(read_sessions(read_run_file(tmp_path))) == 1
    make_evaluation(Knowing(), CLEAR, VAGUE).run(tmp_path)
    make_evaluation(Knowing(), CLEAR, VAGUE).run(tmp_path)  # computes nothing
    found = read_sessions(read_run_file(tmp_path))
    assert len(found) == 2
    assert all(each.wall_s > 0 for each in found)
    assert {each.batch for each in found} == {"by tokens"}


def test_cells_are_the_same_with_and_without_tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_evaluation(Knowing(), CLEAR).run(tmp_path / "off")
    monkeypatch.delenv("PHRASEPROOF_ENERGY")
    monkeypatch.setattr(codecarbon_tracker, "START_AFTER_S", 0.0)
    make_evaluation(Knowing(), CLEAR).run(tmp_path / "on", observer=WaitingForMeters())
    off, on = (read_run_file(tmp_path / name) for name in ("off", "on"))
    assert off["cells"] == on["cells"]
    assert off["settings"] == on["settings"]
    assert [each.energy is None for content in (off, on) for each in read_sessions(content)] == [True, False]


def test_a_long_session_is_saved_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SECONDS_BETWEEN_SAVES", 0.0)
    seen: list[int] = []

    class Looking(SilentObserver):
        def advanced(self, prompts: int) -> None:
            seen.append(len(read_sessions(read_run_file(tmp_path))))

    make_evaluation(Knowing(), CLEAR, VAGUE).run(tmp_path, observer=Looking())
    assert seen[-1] == 1


class OnGpus(Knowing):
    device = "cuda:0,cuda:1"


class Served(Knowing):
    def choose_method(self, method: str | None, options: object) -> None: ...


def test_devices_are_those_of_the_model() -> None:
    assert devices_of(OnGpus()) == ("cuda:0", "cuda:1")
    assert devices_of(Served()) == ()
    assert devices_of(Knowing()) == ("cpu",)
