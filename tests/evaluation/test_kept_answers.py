"""Answers of a server are kept until the run has stored their outcomes, and the file goes when the run is complete."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from phraseproof.core import Model
from phraseproof.evaluation.kept_answers import ANSWERS_FILE, keeping_answers


class Keeper:
    """A model that notes what is done with its answers."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @contextmanager
    def keeping_answers(self, path: Path) -> Generator[Keeper]:
        self.log.append(path.name)
        yield self
        self.log.append("closed")

    def settle(self) -> None:
        self.log.append("settled")

    def remove(self) -> None:
        self.log.append("removed")


@pytest.mark.parametrize(("is_complete", "end"), [(True, "removed"), (False, "settled")])
def test_answers_last_as_long_as_they_are_needed(tmp_path: Path, is_complete: bool, end: str) -> None:
    model = Keeper()
    with keeping_answers(cast(Model, model), tmp_path, lambda: is_complete) as settle:
        settle()
    assert model.log == [ANSWERS_FILE, "settled", end, "closed"]


def test_other_models_keep_nothing(tmp_path: Path) -> None:
    with keeping_answers(cast(Model, object()), tmp_path, lambda: True) as settle:
        settle()
    assert list(tmp_path.iterdir()) == []
