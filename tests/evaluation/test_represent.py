"""Representations from Python: what is read, what is refused, and that a growing sample reads only what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phraseproof.core import PENULTIMATE, Prompt
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.represent import cells_of, represent, same_but_for_adapter
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.vectors import load_vectors
from support.growing_run import EXAMPLES, WORDINGS, Listener, make_task


class Reader(ScriptedModel):
    """Counts the prompts that it reads, and fails at one of them if asked to."""

    def __init__(self, fails_at: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.read: list[str] = []
        self._fails_at = fails_at

    def represent(
        self, prompts: Sequence[Prompt], *, layer: int = PENULTIMATE, on_done: Callable[[int], None] | None = None
    ) -> Any:
        texts = [prompt.text for prompt in prompts]
        if self._fails_at in texts:
            raise ModelError("out of memory")
        self.read += texts
        return super().represent(prompts, layer=layer, on_done=on_done)


def make(model: Any, wordings: int = 2, *, edited: str = "", **settings: Any) -> Evaluation:
    task = make_task(edited)
    return prepare(model, [task], {"mine": {task.name: list(WORDINGS[:wordings])}}, EvaluationSpec(**settings))


def test_a_growing_sample_reads_only_what_is_new(tmp_path: Path) -> None:
    first, second, third = Reader(), Reader(), Reader()
    represent(make(first, limit=4), tmp_path / "grown")
    represent(make(second, limit=9), tmp_path / "grown")
    listener = Listener()
    grown = represent(make(third), tmp_path / "grown", observer=listener)
    assert (len(first.read), len(second.read), len(third.read)) == (2 * 4, 2 * 5, 2 * 3)
    assert len({*first.read, *second.read, *third.read}) == 2 * EXAMPLES
    assert (listener.warnings, listener.notes) == ([], [])
    assert listener.done == listener.total == 2 * EXAMPLES
    scratch = represent(make(Reader()), tmp_path / "scratch")
    assert grown.cells == scratch.cells
    np.testing.assert_array_equal(grown.of("t", 0).array, scratch.of("t", 0).array)
    assert grown.settings == scratch.settings


def test_another_wording_of_a_larger_sample_reads_all_of_its_own(tmp_path: Path) -> None:
    represent(make(Reader(), limit=4), tmp_path)
    model = Reader()
    represent(make(model, wordings=3, limit=6), tmp_path)
    assert len(model.read) == 2 * 2 + 6


def test_edited_data_is_read_again(tmp_path: Path) -> None:
    represent(make(Reader(), limit=4), tmp_path)
    model, listener = Reader(), Listener()
    represent(make(model, limit=9, edited="!"), tmp_path, observer=listener)
    assert len(model.read) == 2 * 9
    assert listener.notes == ["2 cells computed again: their data or wordings were edited"]


def test_a_smaller_sample_is_refused(tmp_path: Path) -> None:
    represent(make(Reader(), limit=9), tmp_path)
    with pytest.raises(RunError, match=r"larger sample \(expected --limit 9 or more, got --limit 4\)"):
        represent(make(Reader(), limit=4), tmp_path)


def test_a_cell_that_fails_is_missing_and_the_others_are_stored(tmp_path: Path) -> None:
    listener = Listener()
    stored = represent(make(Reader(fails_at="please question 3")), tmp_path, observer=listener)
    assert [cell.instruction for cell in stored.missing] == ["mine/w1"]
    assert listener.warnings == ["t under mine/w1 failed: out of memory"]
    assert stored.of("t", 0).instructions == ("mine/w0",)
    model = Reader()
    assert represent(make(model), tmp_path).missing == ()
    assert len(model.read) == EXAMPLES


def test_cells_of_names_the_cells_that_are_stored(tmp_path: Path) -> None:
    evaluation = make(Reader(), scoring="loglikelihood_norm")
    stored = represent(evaluation, tmp_path)
    assert cells_of(evaluation) == set(stored.cells)
    assert not cells_of(evaluation) & {each.cell for each in evaluation.planned}


def test_vectors_beside_another_models_run_are_refused(tmp_path: Path) -> None:
    make(Reader()).run(tmp_path)
    with pytest.raises(RunError, match=r"another setting of model\.settings\.seed"):
        represent(make(Reader(seed=1)), tmp_path)
    represent(make(Reader()), tmp_path)
    assert load_vectors(tmp_path).of("t", 0).array.shape[:2] == (2, EXAMPLES)


def test_only_the_adapter_may_differ_in_a_comparison(tmp_path: Path) -> None:
    class Adapted(Reader):
        @property
        def identity(self) -> Any:
            return replace(super().identity, adapter="abc")

    base = represent(make(Reader(), limit=4), tmp_path / "base")
    adapted = represent(make(Adapted(), limit=4), tmp_path / "adapted")
    other = represent(make(Reader(), limit=5), tmp_path / "other")
    assert same_but_for_adapter(base, adapted)
    assert not same_but_for_adapter(base, other)


def test_another_layer_has_its_own_folder_and_the_penultimate_keeps_its_own(tmp_path: Path) -> None:
    penultimate = represent(make(Reader(), limit=4), tmp_path)
    model = Reader()
    last = represent(make(model, limit=4), tmp_path, layer=-1)
    assert (penultimate.path.name, last.path.name) == ("representations", "representations-layer-1")
    assert (penultimate.layer, last.layer) == (None, 1)
    assert "layer" not in penultimate.settings
    assert len(model.read) == 2 * 4
    np.testing.assert_array_equal(last.of("t", 0).array, np.tanh(penultimate.of("t", 0).array))
    assert not {cell.identity for cell in penultimate.cells} & {cell.identity for cell in last.cells}
    assert cells_of(make(Reader(), limit=4), last.layer) == set(last.cells)
    assert not same_but_for_adapter(penultimate, last)


def test_a_layer_has_one_name_however_it_is_counted(tmp_path: Path) -> None:
    represent(make(Reader(), limit=4), tmp_path)
    represent(make(Reader(), limit=4), tmp_path, layer=-1)
    for layer, folder in ((0, "representations"), (1, "representations-layer-1")):
        model = Reader()
        assert represent(make(model, limit=4), tmp_path, layer=layer).path.name == folder
        assert model.read == []


@pytest.mark.parametrize("layer", [2, -3])
def test_a_layer_that_the_model_lacks_is_refused(tmp_path: Path, layer: int) -> None:
    with pytest.raises(UsageError, match=rf"no such layer \(expected -2 to 1, got {layer}\)"):
        represent(make(Reader()), tmp_path, layer=layer)
    assert not list(tmp_path.iterdir())


def test_a_model_without_representations_and_several_devices_are_refused(tmp_path: Path) -> None:
    class ScoresOnly:
        identity = ScriptedModel().identity

    class Workers:
        names = ("cpu", "cpu")

        def work(self, *_: object, **__: object) -> None:
            raise AssertionError("refused before")

    with pytest.raises(ModelError, match="the model gives no representations"):
        represent(make(ScoresOnly()), tmp_path)
    with pytest.raises(UsageError, match=r"vectors are read on one device \(got cpu,cpu\)"):
        represent(replace(make(Reader()), workers=Workers()), tmp_path)
    assert not list(tmp_path.iterdir())
