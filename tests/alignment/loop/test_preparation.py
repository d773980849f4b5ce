from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from phraseproof.alignment.loop.preparation import find_method, prepare
from phraseproof.alignment.pairs.tokens import prompts_of
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support.tiny_models import tiny_llama
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, train


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


@pytest.mark.parametrize("method", ["pt+kl", "lora+kl"])
def test_without_labels_the_model_that_training_starts_from_answers(method: str, tmp_path: Path) -> None:
    asked = [dataclasses.replace(pair, options=tuple("ABCD")) for pair in shared_wordings()]
    taught = [dataclasses.replace(pair, target="D") for pair in asked]
    train(tiny_llama(), tmp_path, pairs=taught, method=method, learning_rate=1.0, lambda_=0.0)
    answers: dict[str, list[str]] = {}
    for name, options in (("base", CPU), ("adapter", dataclasses.replace(CPU, adapter=tmp_path))):
        scorer = load_model(str(tiny_llama()), options)
        assert isinstance(scorer, HuggingFaceModel)
        prompts = [prompts_of(pair, prompt_format="plain", options=pair.options)[0] for pair in asked]
        found = [scores.logprobs for scores in scorer.score_options(prompts)]
        answers[name] = ["ABCD"[max(range(4), key=each.__getitem__)] for each in found]
    settings = AlignmentSettings(method=method, labels="none", init=str(tmp_path), held_out_fraction=0.0)
    prepared = prepare(str(tiny_llama()), asked, settings, CPU)
    assert [pair.target for pair in prepared.train.pairs] == answers["adapter"]
    assert answers["adapter"] != answers["base"]
    assert isinstance(prepared.model, HuggingFaceModel)
    assert not prepared.model.has_adapter
