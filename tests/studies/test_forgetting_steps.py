"""The steps of `forgetting`: which models, what is trained on, what is evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.pocket.mitigation import KEPT_OUT
from phraseproof.studies.forgetting_steps import losses_of, models, training_pairs, validation_sets, with_observed
from phraseproof.studies.study import StudyRequest
from phraseproof.tasks import load_tasks

POCKET = StudyRequest(models=("pocket",))


def test_two_models_are_needed_and_the_pocket_has_them() -> None:
    assert models(POCKET) == ("pocket/tiny", "pocket/tiny-base")
    assert models(StudyRequest(models=("tuned", "untuned"))) == ("tuned", "untuned")
    for named in (("one",), ("one", "one"), ("one", "two", "three")):
        with pytest.raises(UsageError, match="--model: the study compares a tuned model with an untuned one"):
            models(StudyRequest(models=named))
    with pytest.raises(UsageError, match="--run: the study trains models"):
        models(StudyRequest(runs=(Path("run"),)))


def test_losses_are_of_tasks_that_training_does_not_see() -> None:
    request = with_observed(POCKET, "pocket/tiny")
    assert request.instructions["observed"] == ("pocket-observed",)
    trained = {pair.task for pair in training_pairs(POCKET, "pocket/tiny").sets}
    for group in ("observed", "unobserved"):
        sets = validation_sets(request, "pocket/tiny", group)
        tasks = {pair.task for pair in sets}
        assert tasks == {f"pocket/{kind}-{about}" for kind in ("choose", "label", "has") for about in KEPT_OUT}
        assert not tasks & trained
        # Scored examples, not those that alignments are trained on.
        scored = {task.name: {each.id for each in task.examples} for task in load_tasks(sorted(tasks))}
        assert all(pair.example in scored[pair.task] for pair in sets)
        collection = "pocket-observed" if group == "observed" else "pocket-test"
        assert {origin.name.partition("/")[0] for pair in sets for origin in pair.origins} == {collection}
    assert len(sets) == 6 * 4


def test_the_user_chooses_tasks_and_their_number() -> None:
    request = with_observed(replace(POCKET, tasks=("pocket/has-weight",), limit=3), "pocket/tiny")
    sets = validation_sets(request, "pocket/tiny", "unobserved")
    assert [pair.task for pair in sets] == ["pocket/has-weight"] * 3
    trained = [{pair.task for pair in training_pairs(each, "pocket/tiny").sets} for each in (request, POCKET)]
    assert trained[0] == trained[1]
    with pytest.raises(UsageError, match="no two wordings of the group 'observed' fit a task"):
        validation_sets(replace(request, instructions={"observed": ("everyday-observed",)}), "pocket/tiny", "observed")


def test_losses_are_read_from_the_log_by_epoch(tmp_path: Path) -> None:
    lines = [
        '{"step": 0, "held_out": %s}',
        '{"step": 1, "loss": 1.0}',
        '{"step": 2, "held_out": {"validation": {"observed": %s}}}',
        '{"step": 10, "held_out": %s}',
    ]
    losses = iter((2, 3, 1))
    rest = '"loss": 9, "kl": 0, "accuracy": 0, "reference_accuracy": 0, "pairs": 1'
    written = [line % f'{{"ce": {next(losses)}, {rest}}}' if "%s" in line else line for line in lines]
    (tmp_path / "training.jsonl").write_text("\n".join(written) + "\n")
    step = type("Step", (), {"folder": tmp_path})
    found = losses_of(step)  # type: ignore[arg-type]
    assert [each.epoch for each in found] == [0, 5, 25]
    assert [each.losses for each in found] == [{"held-out pairs": 2}, {"observed": 3}, {"held-out pairs": 1}]
