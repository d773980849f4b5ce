"""Trainings and runs are found again by what they depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError
from phraseproof.hardening.candidates import Candidate
from phraseproof.hardening.search_plan import MeasuredSet
from phraseproof.hardening.workplace import Workplace
from phraseproof.models import ModelOptions
from support.harden_data import make_task, make_wordings
from support.inline_pool import InlinePool
from support.tiny_models import tiny_llama
from support.tiny_trainings import Watcher

WORDINGS = make_wordings(4)
TASK = make_task(size=6)
SET = MeasuredSet("test", (TASK,), {TASK.name: WORDINGS[2:]}, None, 0)


def test_a_pair_that_only_another_seed_draws_is_refused_before_the_first_training(tmp_path: Path) -> None:
    place = Workplace(str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="auto", observers=(None, None))
    pairs = pairs_from_task(TASK, WORDINGS[:1], WORDINGS[1:2])
    settings = AlignmentSettings("lora", max_steps=1, gradient_accumulation=1, held_out_fraction=0.0)
    for number in range(len(pairs)):
        wrong = replace(pairs[number], input="the red king " * 3000, source="the wrong pair")
        with pytest.raises(UsageError, match=r"^the wrong pair: .*does not fit into the model's context"):
            place.train(Candidate("lora", 1e-3, settings), 0, [*pairs[:number], wrong, *pairs[number + 1 :]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "ft"])
def test_trainings_and_runs_are_used_again(tmp_path: Path, method: str) -> None:
    place = Workplace(str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="auto", observers=(None, None))
    pairs = pairs_from_task(TASK, WORDINGS[:1], WORDINGS[1:2])
    settings = AlignmentSettings(method, max_steps=1, learning_rate=1e-3, held_out_fraction=0.0)
    candidate = Candidate(method, 1e-3, settings)
    first = place.train(candidate, 0, pairs)
    written = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    assert first.cost.steps == 1
    assert place.train(candidate, 0, pairs) == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir()} == written
    # Another seed, other pairs and other settings have folders of their own; what changes no result has not.
    assert place.train(candidate, 1, pairs).folder != first.folder
    assert place.train(candidate, 0, pairs[1:]).folder != first.folder
    often = candidate._replace(
        settings=replace(settings, save_every=7, save_every_seconds=9.0, gradient_checkpointing=True)
    )
    assert place.train(often, 0, pairs).folder == first.folder

    base, trained = place.measure(SET), place.measure(SET, first)
    assert base.path.parent == tmp_path / "base"
    assert trained.path.parent == first.folder.parent
    for run in (base, trained):
        assert {cell.instruction for cell in run.cells} == {"mine/w2", "mine/w3"}
    scores = [
        [value for row in run.outcomes().to_pylist() for value in row["option_logprobs"]] for run in (base, trained)
    ]
    assert scores[0] != scores[1]
    assert place.measure(SET).path == base.path
    assert place.measure(SET._replace(limit=3)).path != base.path


def test_references_of_the_same_pairs_are_judged_once(tmp_path: Path) -> None:
    watcher = Watcher()
    place = Workplace(str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="auto", observers=(None, watcher))
    pairs = pairs_from_task(make_task(size=12), WORDINGS[:1], WORDINGS[1:2])
    settings = AlignmentSettings("pt+kl", max_steps=1, num_tokens=2, gradient_accumulation=1, held_out_fraction=0.0)
    said: list[int] = []
    for weight, seed in ((0.0, 0), (0.8, 0), (0.8, 1)):
        place.train(Candidate("pt+kl", 1e-3, replace(settings, lambda_=weight)), seed, pairs)
        said.append(sum("the reference wording is right on" in note for note in watcher.notes))
    assert said == [0, 1, 1]


def test_trainings_that_workers_did_ahead_are_found(tmp_path: Path) -> None:
    pool = InlinePool(room=2)
    place = Workplace(
        str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="auto", observers=(None, None), workers=pool
    )
    pairs = pairs_from_task(TASK, WORDINGS[:1], WORDINGS[1:2])
    settings = AlignmentSettings("pt", num_tokens=2, max_steps=1, gradient_accumulation=1, held_out_fraction=0.0)
    candidate = Candidate("pt", 1e-3, settings)
    place.train_ahead((candidate, seed, pairs) for seed in (0, 1))
    assert sorted(pool.trained) == [0, 1]
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("adapter_model.safetensors")}
    assert {place.train(candidate, seed, pairs).folder for seed in (0, 1)} == {path.parent for path in done}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("adapter_model.safetensors")} == done
    place.train_ahead((candidate, seed, pairs) for seed in (0, 1))
    assert len(pool.trained) == 2
