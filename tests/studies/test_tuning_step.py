"""The step that tunes: another folder where another model comes out, and nothing trained twice."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.errors import FileError, UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.models.options import ModelOptions
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.tuning_step import TuningStep, tuned_evaluation, tuning_step
from phraseproof.tuning.trainer import tune
from support import tiny_models
from support.tiny_tunings import EXAMPLES

CPU = ModelOptions(device="cpu")
GROUPS = {"observed": ("pocket-observed",), "unobserved": ("pocket-test",)}


@pytest.fixture
def request_(tmp_path: Path) -> StudyRequest:
    rows = [{"instruction": each.instruction, "input": each.input, "output": each.output} for each in EXAMPLES]
    file = tmp_path / "alpaca.json"
    file.write_text(json.dumps(rows))
    return StudyRequest(
        data=(file,),
        out=tmp_path / "studies",
        model_options=CPU,
        instructions=GROUPS,
        limit=2,
        tasks=("pocket/has-maker",),
    )


def test_what_changes_the_model_changes_the_folder(request_: StudyRequest, tmp_path: Path) -> None:
    model = str(tiny_models.tiny_llama())
    step = tuning_step(request_, model)
    assert tuning_step(replace(request_, model_options=ModelOptions(device="cpu", batch_size=3)), model) == replace(
        step, model_options=ModelOptions(device="cpu", batch_size=3)
    )
    other = tmp_path / "other.json"
    other.write_text(request_.data[0].read_text().replace("river", "brook"))
    steps = [
        step,
        tuning_step(replace(request_, data=(other,)), model),
        tuning_step(replace(request_, seed=1), model),
        tuning_step(replace(request_, max_steps=2), model),
        tuning_step(replace(request_, prompt_format="plain"), model),
        tuning_step(request_, str(tiny_models.tiny_t5())),
        tuning_step(replace(request_, model_options=ModelOptions(device="cpu", dtype="bfloat16")), model),
    ]
    assert len({each.folder for each in steps}) == len(steps)


def test_it_is_the_training_of_tune_and_is_done_once(request_: StudyRequest, tmp_path: Path) -> None:
    model = str(tiny_models.tiny_llama())
    step = tuning_step(request_, model)
    evaluation = tuned_evaluation(request_, step)
    before = step.forecast(timed=False)
    # Three epochs of ten examples, each in one step.
    assert (before.prompts, before.missing) == (30, 30)
    assert before.remark == "3 training steps, 3 passes through 10 examples"
    assert evaluation.forecast(timed=False).missing == 2 * 28
    assert not step.folder.exists()
    assert step.carry_out(SilentObserver()) == 0
    after = step.forecast(timed=False)
    assert (after.prompts, after.missing, after.tokens, after.seconds) == (30, 0, 0, 0)
    weights = (step.folder / "model.safetensors").read_bytes()
    plain = tune(model, request_.data, tmp_path / "plain", prompt_format="alpaca", model_options=CPU)
    assert (plain.folder / "model.safetensors").read_bytes() == weights
    changed = (step.folder / "model.safetensors").stat().st_mtime_ns
    assert step.carry_out(SilentObserver()) == 0
    assert (step.folder / "model.safetensors").stat().st_mtime_ns == changed
    assert evaluation.carry_out(SilentObserver()) == 0
    assert evaluation.forecast(timed=False).missing == 0
    assert evaluation.spec.prompt_format == "alpaca"


def test_it_takes_the_examples_of_its_files_to_another_machine(request_: StudyRequest) -> None:
    step = tuning_step(request_, str(tiny_models.tiny_llama()))
    sent = step.elsewhere()
    request_.data[0].unlink()
    assert pickle.loads(pickle.dumps(sent)) == sent
    assert [each.output for each in sent.data if not isinstance(each, Path)] == [each.output for each in EXAMPLES]
    assert sent.folder == step.folder


def test_the_pocket_has_its_own_data() -> None:
    step = tuning_step(StudyRequest(), "pocket/tiny-base")
    assert isinstance(step, TuningStep)
    assert len(step.data) == 2560
    assert step.settings.prompt_format == "auto"
    assert tuned_evaluation(StudyRequest(), step).spec.instructions["observed"] == ("pocket-observed",)


def test_alpacas_wordings_are_observed_where_none_are_named(request_: StudyRequest) -> None:
    step = tuning_step(replace(request_, instructions={}), str(tiny_models.tiny_llama()))
    spec = tuned_evaluation(replace(request_, instructions={}), step).spec
    assert spec.instructions["observed"] == ("alpaca",)


def test_what_lacks_is_named(request_: StudyRequest, tmp_path: Path) -> None:
    model = str(tiny_models.tiny_llama())
    with pytest.raises(UsageError, match="--data: a study that tunes a model needs instructions and their answers"):
        tuning_step(replace(request_, data=()), model)
    with pytest.raises(UsageError, match="--adapter: a study that trains a model cannot start from an adapter"):
        tuning_step(replace(request_, model_options=ModelOptions(adapter=tmp_path)), model)
    with pytest.raises(FileError, match=r"none\.json"):
        tuning_step(replace(request_, data=(tmp_path / "none.json",)), model)
