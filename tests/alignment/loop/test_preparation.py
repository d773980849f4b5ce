from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import cast

import pytest

from phraseproof.alignment.loop.preparation import find_method, prepare
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError
from phraseproof.models.huggingface.model import HuggingFaceModel
from support.tiny_models import tiny_llama
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU


def test_an_unknown_method_is_answered_with_the_closest_one() -> None:
    assert find_method("pt+kl").name == "pt+kl"
    with pytest.raises(UsageError, match=r"^--method: no alignment method is called 'pt\+lk'.*Did you mean 'pt\+kl'"):
        find_method("pt+lk")


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
