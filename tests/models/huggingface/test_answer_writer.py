"""Texts of many prompts: handed over as they are complete, with stop strings, token counts and cuts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from phraseproof.core import GREEDY, CutText, OptionScores, Prompt, Sampling, WritesAnswers
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from support import tiny_models

PROMPTS = [Prompt(text) for text in ("Which river is north", "Answer:", "the teacher and the king often choose a")]


def model(folder: Path, **args: str) -> Any:
    return load_model(str(folder), ModelOptions(device="cpu", dtype="float32", args=args))


def written(loaded: Any, prompts: list[Prompt], samplings: list[Sampling] | None = None, **how: Any) -> dict[int, Any]:
    found: dict[int, OptionScores | ModelError] = {}
    loaded.write_answers(
        prompts,
        samplings=samplings or [GREEDY] * len(prompts),
        on_scores=lambda index, each: found.update({index: each}),
        **{"max_new_tokens": 8, **how},
    )
    return found


@pytest.mark.parametrize("build", [tiny_models.tiny_t5, tiny_models.tiny_llama], ids=["t5", "llama"])
def test_texts_are_those_of_generate_with_their_token_counts(build: Any) -> None:
    loaded = model(build())
    assert isinstance(cast("object", loaded), WritesAnswers)
    found = written(loaded, PROMPTS)
    assert [found[index].text for index in range(3)] == loaded.generate(PROMPTS, max_new_tokens=8)
    sizes = [len(loaded.tokenizer(prompt.text)["input_ids"]) for prompt in PROMPTS]
    assert [found[index].prompt_tokens for index in range(3)] == sizes
    start = 0 if loaded.is_decoder_only else 1
    for index, text in ((index, found[index].text) for index in range(3)):
        if isinstance(text, CutText):
            assert found[index].asked_tokens == sizes[index] + 7 + start
        else:
            assert found[index].asked_tokens < sizes[index] + 7 + start
    assert {found[index].truncated for index in range(3)} == {0}


def test_equal_prompts_are_written_once_under_greedy_and_apart_where_drawn() -> None:
    loaded = model(tiny_models.tiny_llama())
    found = written(loaded, [PROMPTS[0], PROMPTS[1], PROMPTS[0]])
    assert found[0].text == found[2].text
    assert found[2].computed_tokens == 0 < found[0].computed_tokens
    drawn = written(loaded, [PROMPTS[0]] * 3, [Sampling(1.5, seed=seed) for seed in (1, 2, 1)])
    assert drawn[0].text == drawn[2].text != drawn[1].text
    assert drawn[2].computed_tokens == 0 < drawn[1].computed_tokens


@pytest.mark.parametrize("build", [tiny_models.tiny_t5, tiny_models.tiny_llama], ids=["t5", "llama"])
def test_a_stop_string_ends_a_text_and_is_not_part_of_it(build: Any) -> None:
    loaded = model(build())
    plain = written(loaded, PROMPTS, max_new_tokens=20)
    for index in range(3):
        text = str(plain[index].text)
        if len(text) < 12:
            continue
        stop = text[6:9]
        found = written(loaded, PROMPTS, max_new_tokens=20, stop=[stop, "never in it"])[index]
        assert found.text == text[: text.index(stop)].strip()
        assert not isinstance(found.text, CutText)
        assert found.asked_tokens < plain[index].asked_tokens
        break
    else:
        raise AssertionError("no text is long enough")


def test_what_is_cut_from_a_long_prompt_is_counted() -> None:
    loaded = model(tiny_models.tiny_llama(max_length=64))
    (found,) = written(loaded, [Prompt("river " * 300)], max_new_tokens=5).values()
    assert found.truncated == found.prompt_tokens - (64 - 4)
    with pytest.raises(ModelError, match="no room for this number of new tokens"):
        written(loaded, PROMPTS, max_new_tokens=66)


def test_top_k_of_one_is_greedy() -> None:
    loaded = model(tiny_models.tiny_llama())
    drawn = written(loaded, PROMPTS, [Sampling(1.5, seed=3, top_k=1)] * 3)
    assert [drawn[index].text for index in range(3)] == loaded.generate(PROMPTS, max_new_tokens=8)


def test_a_stopped_run_keeps_the_texts_that_were_complete() -> None:
    loaded = model(tiny_models.tiny_llama())
    kept: dict[int, Any] = {}

    class StopError(Exception):
        pass

    def take(index: int, scores: OptionScores | ModelError) -> None:
        kept[index] = scores
        raise StopError

    with pytest.raises(StopError):
        loaded.write_answers(PROMPTS, max_new_tokens=8, samplings=[GREEDY] * 3, on_scores=take)
    assert len(kept) == 1
