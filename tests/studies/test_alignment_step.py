"""The step that aligns: the same training as `align`, in a folder named by everything that changes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import train
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.models.options import ModelOptions
from phraseproof.store.queries import Run, load_run
from phraseproof.store.vectors import load_vectors
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import (
    AlignedEvaluation,
    AlignedRepresentations,
    AlignmentStep,
    aligned_base,
    aligned_evaluation,
    aligned_representations,
    alignment_step,
    study_settings,
    training_seeds,
)
from phraseproof.studies.carry_out import distinct
from phraseproof.studies.representation_step import RepresentationStep
from phraseproof.studies.steps import main_step
from phraseproof.studies.study import StudyRequest
from support.tiny_trainings import StoppedError, StopsAt

MODEL = "pocket/tiny"
SILENT = SilentObserver()


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> StudyRequest:
    return StudyRequest(models=(MODEL,), tasks=("pocket/has-maker",), limit=2, out=tmp_path_factory.mktemp("studies"))


def step(request: StudyRequest, method: str = "pt+kl", *, seed: int = 0, **changes: object) -> AlignmentStep:
    short: dict[str, object] = {"max_steps": 4, "gradient_accumulation": 1}
    settings = study_settings(request, MODEL, method, seed=seed, **(short | changes))
    return alignment_step(request, MODEL, pairs=alignment_pairs(request, MODEL, limit=6).sets, settings=settings)


def scores(run: Run) -> dict[str, float]:
    return {row.instruction: row.mean_score for row in run.wording_scores()}


def test_what_changes_a_result_changes_the_folder(request_: StudyRequest) -> None:
    base = step(request_)
    pairs, settings = base.pairs, base.settings
    others = [
        step(request_, "pt"),
        step(request_, seed=1),
        step(request_, max_steps=5),
        step(request_, learning_rate=1e-3),
        alignment_step(request_, MODEL, pairs=pairs[:-1], settings=settings),
        alignment_step(request_, "pocket", pairs=pairs, settings=settings),
        alignment_step(
            replace(request_, model_options=ModelOptions(dtype="bfloat16")), MODEL, pairs=pairs, settings=settings
        ),
    ]
    assert len({each.folder for each in (base, *others)}) == 8
    quick = replace(request_, model_options=ModelOptions(device="cpu"))
    same = [step(request_, save_every=1), alignment_step(quick, MODEL, pairs=pairs, settings=settings)]
    assert {each.folder for each in same} == {base.folder}


def test_it_is_the_training_of_align_and_its_evaluation_that_of_evaluate(
    request_: StudyRequest, tmp_path: Path
) -> None:
    training, base = step(request_), main_step(request_, MODEL)
    evaluation = aligned_evaluation(training, base)
    before = evaluation.forecast(timed=False)
    assert before.missing == before.prompts == 2 * (12 + 16)
    found = training.forecast(timed=False)
    # Four steps of one reference and three paraphrases.
    assert (found.prompts, found.missing) == (16, 16)
    assert found.remark.startswith("4 training steps")

    assert training.carry_out(SILENT) == 0
    direct = train(MODEL, training.pairs, tmp_path / "direct", training.settings)
    ours, theirs = (load_file(folder / "adapter_model.safetensors") for folder in (training.folder, direct.folder))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    after = training.forecast(timed=True)
    assert (after.prompts, after.missing, after.seconds) == (16, 0, 0.0)

    assert evaluation.carry_out(SILENT) == 0
    assert evaluation.forecast(timed=False).missing == 0
    run = evaluate(
        MODEL,
        "pocket/has-maker",
        {"observed": "pocket-observed", "unobserved": "pocket-test"},
        tmp_path / "run",
        limit=2,
        model_options=ModelOptions(adapter=direct.folder),
    )
    assert scores(load_run(evaluation.folder)) == scores(run)


def test_a_stopped_training_is_resumed(request_: StudyRequest, tmp_path: Path) -> None:
    whole = step(request_, seed=3, save_every=1)
    stopped = replace(whole, folder=tmp_path / "stopped")
    with pytest.raises(StoppedError):
        train(MODEL, stopped.pairs, stopped.folder, stopped.settings, observer=StopsAt(3))
    left = stopped.forecast(timed=False)
    assert 0 < left.missing < left.prompts
    stopped.carry_out(SILENT)
    whole.carry_out(SILENT)
    one, two = (load_file(each.folder / "adapter_model.safetensors") for each in (whole, stopped))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_all_weights_make_a_model_that_is_evaluated_under_the_wordings_of_its_base(request_: StudyRequest) -> None:
    training, base = step(request_, "ft"), main_step(request_, MODEL)
    assert not training.writes_adapter
    evaluation = aligned_evaluation(training, base)
    assert evaluation.spec.instructions["observed"] == ("pocket-observed",)
    vectors = aligned_representations(training, RepresentationStep(base.spec, base.folder))
    assert vectors.forecast(timed=False).missing == 2 * (12 + 16)
    steps = [base, training, evaluation, vectors, aligned_evaluation(training, base)]
    assert len(distinct(steps)) == 4
    for each in (training, evaluation, vectors):
        assert each.carry_out(SILENT) == 0
    assert set(scores(load_run(evaluation.folder))) == {
        *(f"pocket-observed/has-{n}" for n in range(1, 13)),
        *(f"pocket-test/has-{n}" for n in range(1, 17)),
    }
    assert load_vectors(vectors.folder).of("pocket/has-maker", 0).array.shape[:2] == (28, 2)
    assert vectors.forecast(timed=False).missing == 0


def test_settings_are_the_papers_except_for_the_soft_prompt_of_the_pocket() -> None:
    request = StudyRequest(seed=5)
    paper = study_settings(request, "google/flan-t5-xl", "pt+kl")
    assert paper == AlignmentSettings(method="pt+kl", learning_rate=5e-4, held_out_fraction=0.0, seed=5)
    assert study_settings(request, "pocket", "pt").learning_rate == 1e-2
    weights = study_settings(request, "pocket", "ft+kl", seed=7, max_steps=9)
    assert (weights.learning_rate, weights.seed, weights.max_steps, weights.init) == (5e-4, 7, 9, paper.init)


def test_the_request_shortens_trainings_of_every_model_and_method() -> None:
    request = StudyRequest(max_steps=40, gradient_accumulation=1)
    for model, method in (("google/flan-t5-xl", "pt+kl"), ("pocket", "pt"), ("pocket", "ft+kl")):
        found = study_settings(request, model, method)
        assert found == replace(study_settings(StudyRequest(), model, method), max_steps=40, gradient_accumulation=1)


def test_the_shared_run_is_that_of_table_3_or_a_smaller_one() -> None:
    request = StudyRequest()
    assert aligned_base(request, "google/flan-t5-xl") == main_step(request, "google/flan-t5-xl")
    small = aligned_base(request, "pocket").spec
    assert (len(small.tasks), small.limit) == (9, 10)
    assert aligned_base(replace(request, limit=3, tasks=("mmlu",)), "pocket").spec.limit == 3


def test_seeds_follow_that_of_the_request() -> None:
    assert list(training_seeds(StudyRequest(seed=3), default=2)) == [3, 4]
    assert list(training_seeds(StudyRequest(seeds=3))) == [0, 1, 2]


def test_a_model_that_cannot_be_trained_is_refused_before_anything_is_computed(request_: StudyRequest) -> None:
    with pytest.raises(ModelError, match="'scripted' cannot be trained"):
        alignment_step(request_, "scripted", pairs=(), settings=AlignmentSettings())


def test_an_adapter_is_no_base(request_: StudyRequest) -> None:
    request = replace(request_, model_options=ModelOptions(adapter=Path("adapter")))
    with pytest.raises(UsageError, match="cannot start from an adapter"):
        alignment_step(request, MODEL, pairs=(), settings=AlignmentSettings())


def test_a_moved_folder_of_studies_with_trained_weights_goes_on_where_it_is(tmp_path: Path) -> None:
    def steps(out: Path, *tasks: str) -> tuple[AlignmentStep, AlignedEvaluation, AlignedRepresentations]:
        request = StudyRequest(models=(MODEL,), tasks=("pocket/has-maker",), limit=2, out=out)
        training, base = step(request, "ft", max_steps=1), main_step(request, MODEL)
        spec = base.spec.with_changes(tasks=tasks or base.spec.tasks)
        base = replace(base, spec=spec)
        return (
            training,
            aligned_evaluation(training, base),
            aligned_representations(training, RepresentationStep(base.spec, base.folder)),
        )

    for each in (made := steps(tmp_path / "here")):
        each.carry_out(SILENT)
    before = load_run(made[1].folder)
    cells, values = before.cells, scores(before)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = steps(tmp_path / "there")
    names = [each.folder.relative_to(tmp_path / "here") for each in made]
    assert [each.folder.relative_to(tmp_path / "there") for each in moved] == names
    assert [each.forecast(timed=False).missing for each in moved] == [0, 0, 0]
    assert [each.carry_out(SILENT) for each in moved] == [0, 0, 0]
    after = load_run(moved[1].folder)
    assert (after.cells, scores(after)) == (cells, values)
    # A further task is computed there, by the weights that are there now.
    _, further, _ = steps(tmp_path / "there", "pocket/has-maker", "pocket/has-buyer")
    assert further.forecast(timed=False).missing > 0
    assert further.carry_out(SILENT) == 0
    assert {row.task for row in load_run(further.folder).wording_scores()} == {"pocket/has-maker", "pocket/has-buyer"}
    # Other weights at that place are another model.
    weights = moved[0].folder / "model.safetensors"
    save_file({name: 2 * each for name, each in load_file(weights).items()}, weights, metadata={"format": "pt"})
    with pytest.raises(RunError, match=r"the folder holds a run with another setting of model\.name"):
        further.carry_out(SILENT)
