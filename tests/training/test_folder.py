"""A folder is resumed by the training that it holds, and by no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
import torch

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import RunError
from phraseproof.store.training_record import write_record
from phraseproof.training.folder import check_folder, environment, identifying
from support.tiny_models import tiny_llama
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU

RECORD = {"base_model": {"name": "a"}, "pairs": {"count": 2}, "settings": {"seed": 0, "save_every": 50}}


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


def test_a_bfloat16_training_of_an_earlier_release_is_not_resumed_with_other_rounding(tmp_path: Path) -> None:
    options = dataclasses.replace(CPU, dtype="bfloat16")
    prepared = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(method="lora+kl"), options)
    record = dict(prepared.record)
    settings = dict(cast("Mapping[str, object]", record["settings"]))
    del settings["half_precision"]
    write_record(tmp_path, record | {"settings": settings})
    with pytest.raises(RunError, match=r"other settings: half_precision .expected None, got products"):
        check_folder(tmp_path, record, AlignmentSettings().as_record())
    exact = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(method="lora+kl"), CPU).record
    assert "half_precision" not in cast("Mapping[str, object]", exact["settings"])
