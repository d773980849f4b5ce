from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from phraseproof.alignment.loop.preparation import check_folder, find_method, prepare
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import RunError, UsageError
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.training_record import write_record
from support.tiny_models import tiny_llama
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU

RECORD = {"base_model": {"name": "a"}, "pairs": {"count": 2}, "settings": {"seed": 0, "save_every": 50}}


def test_an_unknown_method_is_answered_with_the_closest_one() -> None:
    assert find_method("pt+kl").name == "pt+kl"
    with pytest.raises(UsageError, match=r"^--method: no alignment method is called 'pt\+lk'.*Did you mean 'pt\+kl'"):
        find_method("pt+lk")


def test_a_folder_is_resumed_by_the_same_training_only(tmp_path: Path) -> None:
    assert check_folder(tmp_path, RECORD) is None
    write_record(tmp_path, RECORD)
    assert check_folder(tmp_path, RECORD | {"settings": {"seed": 0, "save_every": 5}}) is not None
    with pytest.raises(RunError, match=r"other settings: seed .expected 0, got 1.*to resume this training"):
        check_folder(tmp_path, RECORD | {"settings": {"seed": 1, "save_every": 50}})


@pytest.mark.parametrize(("method", "is_other"), [("pt+swarm", True), ("pt+majority", True), ("pt+kl", False)])
def test_options_identify_a_training_whose_loss_compares_them(method: str, is_other: bool) -> None:
    found: list[object] = []
    for options in ("ABCD", "DCBA"):
        pairs = [dataclasses.replace(pair, options=tuple(options)) for pair in shared_wordings()]
        prepared = prepare(str(tiny_llama()), pairs, AlignmentSettings(method=method), CPU)
        found.append(cast("Mapping[str, object]", prepared.record["pairs"])["content"])
    assert (found[0] != found[1]) == is_other


def test_a_method_that_needs_labels_is_refused_before_the_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the model was asked")

    pairs = [dataclasses.replace(pair, options=tuple("ABCD")) for pair in shared_wordings()]
    monkeypatch.setattr(HuggingFaceModel, "score_options", asked)
    with pytest.raises(UsageError, match="--labels: the method pt needs labels"):
        prepare(str(tiny_llama()), pairs, AlignmentSettings(method="pt", labels="none"), CPU)
    bare = [dataclasses.replace(pair, target="", labelled=False) for pair in pairs]
    with pytest.raises(UsageError, match="pair 1: the method pt needs labels, and this pair has none"):
        prepare(str(tiny_llama()), bare, AlignmentSettings(method="pt"), CPU)


def test_the_guard_needs_a_held_out_pair() -> None:
    with pytest.raises(UsageError, match="--pairs: the guard needs held-out pairs"):
        prepare(str(tiny_llama()), shared_wordings(1), AlignmentSettings(guard=True), CPU)


def test_a_folder_is_resumed_by_the_same_number_of_processes_only(tmp_path: Path) -> None:
    prepared = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(), CPU)
    write_record(tmp_path, dict(prepared.record))  # as earlier releases did, in one process
    assert check_folder(tmp_path, prepared.run_by(1, "no").record) is not None
    with pytest.raises(RunError, match=r"other settings: processes .expected 1, got 2"):
        check_folder(tmp_path, prepared.run_by(2, "no").record)


def test_a_bfloat16_training_of_an_earlier_release_is_not_resumed_with_other_rounding(tmp_path: Path) -> None:
    options = dataclasses.replace(CPU, dtype="bfloat16")
    prepared = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(method="lora+kl"), options)
    record = dict(prepared.record)
    settings = dict(cast("Mapping[str, object]", record["settings"]))
    del settings["half_precision"]
    write_record(tmp_path, record | {"settings": settings})
    with pytest.raises(RunError, match=r"other settings: half_precision .expected None, got products"):
        check_folder(tmp_path, record)
    exact = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(method="lora+kl"), CPU).record
    assert "half_precision" not in cast("Mapping[str, object]", exact["settings"])
