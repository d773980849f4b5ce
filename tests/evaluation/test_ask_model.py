"""A model in this process that writes texts, and what a scorer needs of a model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from phraseproof.core import ModelIdentity, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError
from phraseproof.evaluation.ask_model import AskedModel, require_answers
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel


class Writer:
    """Writes its prompt's last word, and keeps how it was called."""

    identity = ModelIdentity("writer", "1", "none")

    def __init__(self) -> None:
        self.calls: list[tuple[int, Sampling]] = []

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling) -> list[str]:
        assert max_new_tokens == 7
        self.calls.append((len(prompts), sampling))
        return [prompt.text.split()[-1] for prompt in prompts]


def test_texts_come_back_at_their_prompts_one_seed_for_each_repeat() -> None:
    writer = Writer()
    prompts = [Prompt(f"say w{number}", ("A", "B")) for number in range(20)]
    repeats = [number % 2 for number in range(20)]
    found: dict[int, OptionScores | ModelError] = {}
    spec = EvaluationSpec(scoring="generate", temperature=0.5, max_new_tokens=7, seed=3)
    AskedModel(writer, spec).stream(prompts, repeats, found.__setitem__)
    texts = {index: each.text for index, each in found.items() if isinstance(each, OptionScores)}
    assert texts == {number: f"w{number}" for number in range(20)}
    assert {sampling for _, sampling in writer.calls} == {Sampling(0.5, seed=3), Sampling(0.5, seed=4)}


def test_scores_come_back_in_several_calls() -> None:
    prompts = [Prompt(f"say {number}", ("A", "B")) for number in range(150)]
    found: dict[int, OptionScores | ModelError] = {}
    AskedModel(ScriptedModel(), EvaluationSpec(scoring="loglikelihood")).stream(prompts, [0] * 150, found.__setitem__)
    assert [found[index] for index in range(150)] == list(ScriptedModel().score_options(prompts))
    AskedModel(ScriptedModel(), EvaluationSpec(scoring="loglikelihood")).stream([], [], found.__setitem__)


def test_a_model_without_what_the_scorer_reads_is_refused() -> None:
    require_answers(Writer(), "generate")
    with pytest.raises(ModelError, match=r"cannot score answer options. Use --scoring generate"):
        require_answers(Writer(), "loglikelihood")

    class Nothing:
        identity = Writer.identity

    with pytest.raises(ModelError, match="cannot generate text"):
        require_answers(Nothing(), "generate")


def test_stop_strings_end_the_texts_of_any_model() -> None:
    found: dict[int, OptionScores | ModelError] = {}
    spec = EvaluationSpec(scoring="generate", max_new_tokens=7, stop=("-",))
    AskedModel(Writer(), spec).stream([Prompt("say yes-no")], [0], found.__setitem__)
    assert [each.text for each in found.values() if isinstance(each, OptionScores)] == ["yes"]
