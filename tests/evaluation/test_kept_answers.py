"""Answers of a server are kept until the run has stored their outcomes, and the file goes when the run is complete."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from phraseproof.core import Model
from phraseproof.evaluation.kept_answers import ANSWERS_FILE, keeping_answers, one_call, still_computed


class Keeper:
    """A model that notes what is done with its answers."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @contextmanager
    def keeping_answers(self, path: Path, say: Callable[[str], None]) -> Generator[Keeper]:
        say("waiting")
        self.log.append(path.name)
        yield self
        self.log.append("closed")

    def settle(self) -> None:
        self.log.append("settled")

    def remove(self) -> None:
        self.log.append("removed")


@pytest.mark.parametrize(("is_complete", "end"), [(True, "removed"), (False, "settled")])
def test_answers_last_as_long_as_they_are_needed(tmp_path: Path, is_complete: bool, end: str) -> None:
    model, said = Keeper(), list[str]()
    with keeping_answers(cast(Model, model), tmp_path, lambda: is_complete, said.append) as settle:
        settle()
    assert model.log == [ANSWERS_FILE, "settled", end, "closed"]
    assert said == ["waiting"]


def test_other_models_keep_nothing(tmp_path: Path) -> None:
    with keeping_answers(cast(Model, object()), tmp_path, lambda: True, print) as settle:
        settle()
    assert list(tmp_path.iterdir()) == []


def test_only_models_that_compute_elsewhere_get_all_prompts_at_once_and_are_waited_for() -> None:
    class Remote:
        answers_together = True
        waits_for = "1 batch at the server"

    remote, local = cast(Model, Remote()), cast(Model, object())
    assert (one_call(remote), one_call(local)) == (True, False)
    assert (still_computed(remote), still_computed(local)) == ("; 1 batch at the server, which continues there", "")
