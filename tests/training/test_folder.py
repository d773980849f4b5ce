"""A folder is resumed by the training that it holds, and by no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from accelerate import Accelerator

from phraseproof.alignment.loop.preparation import Preparation, prepare
from phraseproof.alignment.loop.work import AlignmentWork
from phraseproof.alignment.prepared_training import AlignmentResult
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import align
from phraseproof.engine.training.packed_causal_lm import PackedCausalLMForTraining
from phraseproof.errors import RunError
from phraseproof.store.training_record import read_record, write_record
from phraseproof.training.folder import check_folder, environment, identifying, locked
from support.tiny_models import tiny_llama
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU

RECORD = {"base_model": {"name": "a"}, "pairs": {"count": 2}, "settings": {"seed": 0, "save_every": 50}}


def test_a_url_does_not_become_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(RunError, match="s3://bucket/adapter: this command writes a folder"),
        locked(Path("s3://bucket/adapter")),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_resumed_by_the_same_training_only(tmp_path: Path) -> None:
    assert check_folder(tmp_path, RECORD, {}) is None
    write_record(tmp_path, RECORD)
    assert check_folder(tmp_path, RECORD | {"settings": {"seed": 0, "save_every": 5}}, {}) is not None
    with pytest.raises(RunError, match=r"other settings: seed .expected 0, got 1.*to resume this training"):
        check_folder(tmp_path, RECORD | {"settings": {"seed": 1, "save_every": 50}}, {})


def test_a_folder_is_resumed_by_the_same_number_of_processes_only(tmp_path: Path) -> None:
    prepared = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(), CPU)
    write_record(tmp_path, dict(prepared.record))  # as earlier releases did, in one process
    assert check_folder(tmp_path, prepared.run_by(1, "no").record, AlignmentSettings().as_record()) is not None
    with pytest.raises(RunError, match=r"other settings: processes .expected 1, got 2"):
        check_folder(tmp_path, prepared.run_by(2, "no").record, AlignmentSettings().as_record())


def test_only_what_changes_the_result_identifies_a_training() -> None:
    record = {**RECORD, "environment": environment(), "finished": True}
    assert identifying(record) == {"base_model": {"name": "a"}, "pairs": {"count": 2}, "settings": {"seed": 0}}
    assert record["environment"]["torch"] == torch.__version__  # type: ignore[index]


def prepared_in(dtype: str, precision: str = "no", **changes: Any) -> Preparation:
    settings = dataclasses.replace(AlignmentSettings(method="lora+kl"), **changes)
    options = dataclasses.replace(CPU, dtype=dtype)
    return prepare(str(tiny_llama()), shared_wordings(), settings, options).run_by(1, precision)


def test_a_bfloat16_training_of_an_earlier_release_is_not_resumed_with_other_rounding(tmp_path: Path) -> None:
    record = dict(prepared_in("bfloat16").record)
    settings = dict(cast("Mapping[str, object]", record["settings"]))
    del settings["half_precision"]
    write_record(tmp_path, record | {"settings": settings})
    with pytest.raises(RunError, match=r"other settings: half_precision .expected None, got products"):
        check_folder(tmp_path, record, AlignmentSettings().as_record())


@pytest.mark.parametrize(
    ("changes", "is_packed"),
    [
        ({}, True),
        ({"method": "pt+kl"}, True),
        ({"method": "pt+kl", "placement": "layers"}, False),
        ({"method": "ft+kl"}, False),
    ],
)
def test_rounding_is_named_where_the_pass_without_padding_is_taken(changes: dict[str, Any], *, is_packed: bool) -> None:
    prepared = prepared_in("bfloat16", **changes)
    work = AlignmentWork(prepared, Accelerator(cpu=True))
    assert work.optimization.model.is_packed is is_packed
    assert names_rounding(prepared) is is_packed
    work.release()


def test_where_the_pass_is_tried_and_not_taken_the_record_says_so_and_the_training_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(**changes: Any) -> AlignmentResult:
        return align(str(tiny_llama()), shared_wordings(), tmp_path, method="lora+kl", model_options=options, **changes)

    options = dataclasses.replace(CPU, dtype="bfloat16")
    monkeypatch.setattr(PackedCausalLMForTraining, "_is_near", lambda _: False)
    train(max_steps=1)
    record = read_record(tmp_path)
    assert record is not None
    assert record["settings"]["half_precision"] == "all"
    assert train(max_steps=1).steps == 1  # it is finished
    monkeypatch.undo()
    write_record(tmp_path, {**record, "finished": False})
    with pytest.raises(RunError, match=r"other settings: half_precision .expected all, got products"):
        train(max_steps=1)


@pytest.mark.parametrize(("dtype", "precision"), [("bfloat16", "bf16"), ("float32", "no")])
def test_rounding_is_not_named_under_autocast_and_in_float32(dtype: str, precision: str) -> None:
    assert not names_rounding(prepared_in(dtype, precision))


def names_rounding(prepared: Preparation) -> bool:
    return "half_precision" in cast("Mapping[str, object]", prepared.record["settings"])
