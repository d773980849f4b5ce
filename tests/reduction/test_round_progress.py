"""Progress of a search's rounds."""

from __future__ import annotations

from phraseproof.evaluation.observer import SilentObserver
from phraseproof.reduction.round_progress import RoundProgress


class _Recorder(SilentObserver):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def started(self, *, total: int, done: int) -> None:
        self.seen.append((total, done))

    def advanced(self, prompts: int) -> None:
        self.seen.append(prompts)


def test_what_earlier_rounds_scored_is_not_counted() -> None:
    recorder = _Recorder()
    progress = RoundProgress(recorder, 60)
    progress.started(total=90, done=0)  # five wordings with 6 old and 12 new examples
    for prompts in (30, 1, 0, 9, 50):
        progress.advanced(prompts)
    assert recorder.seen == [(60, 0), 1, 9, 50]


def test_a_search_that_was_stopped_begins_where_it_was() -> None:
    recorder = _Recorder()
    progress = RoundProgress(recorder, 60)
    progress.started(total=90, done=36)  # two of five cells are complete
    progress.advanced(18 + 4)
    progress.advanced(32)
    assert recorder.seen == [(60, 24), 4, 32]


def test_prompts_of_a_cell_that_failed_are_taken_back() -> None:
    recorder = _Recorder()
    progress = RoundProgress(recorder, 4)
    progress.started(total=10, done=0)
    progress.advanced(6)
    progress.advanced(3)
    progress.advanced(-9)
    progress.advanced(6)
    progress.advanced(4)
    assert recorder.seen == [(4, 0), 3, -3, 4]
