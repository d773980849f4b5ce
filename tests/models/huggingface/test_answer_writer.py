"""Texts of many prompts: handed over as they are complete, with stop strings, token counts and cuts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

import phraseproof
from phraseproof.core import (
    GREEDY,
    CutText,
    Example,
    Kind,
    OptionScores,
    Prompt,
    Sampling,
    Task,
    WritesAnswers,
)
from phraseproof.engine.generation import token_choice
from phraseproof.engine.generation.slot_cache import SharedBeginning, SlotCache
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.backend import Backend
from support import real_models, tiny_models

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


BEGINNING = "Read the text below, and say in one sentence what the teacher and the king choose.\n\n"
MANY = [
    Prompt(f"{line}\n{ask}")
    for line in tiny_models.sentences(4, seed=3)
    for ask in ("Answer:", "The answer is", "In short:", "So the letter is", "Answer with a letter:")
] + [Prompt(BEGINNING + line) for line in tiny_models.sentences(6, seed=4)]
"""Questions under several wordings, and one wording before several questions: both share beginnings."""


@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_gemma2, tiny_models.tiny_t5])
def test_greedy_texts_do_not_depend_on_batch_order_and_sharing(build: Callable[[], Path]) -> None:
    folder = build()
    loaded = model(folder)
    assert loaded.backend.text_writing is not None
    texts = loaded.generate(MANY, max_new_tokens=9)
    assert loaded.generate(MANY[::-1], max_new_tokens=9)[::-1] == texts
    assert [loaded.generate([prompt], max_new_tokens=9)[0] for prompt in MANY[::5]] == texts[::5]
    for size in (1, 7):
        small = load_model(str(folder), ModelOptions(device="cpu", dtype="float32", batch_size=size))
        assert cast("Any", small).generate(MANY, max_new_tokens=9) == texts
    found = written(loaded, MANY, max_new_tokens=9)
    if loaded.is_decoder_only:
        assert sum(each.computed_tokens for each in found.values()) < 0.6 * sum(
            each.asked_tokens for each in found.values()
        )


@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_t5], ids=["llama", "t5"])
def test_drawn_texts_are_the_same_in_the_engine_and_in_transformers(
    build: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    samplings = [Sampling(1.3, 0.9, seed=index % 3, top_k=40) for index in range(len(MANY))]
    texts = [each.text for _, each in sorted(written(model(build()), MANY, samplings).items())]
    assert len(set(texts)) > 10
    alone = model(build())
    assert [next(iter(written(alone, [MANY[at]], [samplings[at]]).values())).text for at in (3, 9)] == [
        texts[at] for at in (3, 9)
    ]
    monkeypatch.setattr(Backend, "text_writing", None)
    plain = [each.text for _, each in sorted(written(model(build()), MANY, samplings).items())]
    assert plain == texts


SETTINGS: list[dict[str, Any]] = [
    {"repetition_penalty": 1.4},
    {"no_repeat_ngram_size": 1, "min_new_tokens": 4},
    {"suppress_tokens": list(range(60, 300))},
    {"begin_suppress_tokens": list(range(4, 200)), "forced_eos_token_id": 1},
    {"bad_words_ids": [[70], [71, 72]], "sequence_bias": [[[90], 3.0]]},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=" ".join)
@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_t5], ids=["llama", "t5"])
def test_the_models_own_settings_are_followed(
    build: Callable[[], Path], settings: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(build(), folder)
    path = folder / "generation_config.json"
    own = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**own, **settings}))
    loaded, plain = model(folder), model(build())
    texts = loaded.generate(PROMPTS, max_new_tokens=9)
    assert texts == [transformers_text(loaded, prompt) for prompt in PROMPTS]
    assert texts != plain.generate(PROMPTS, max_new_tokens=9)


def transformers_text(loaded: Any, prompt: Prompt) -> str:
    """A text of 9 tokens as `generate` alone writes it, with the model's own settings."""
    inputs = loaded.tokenizer(prompt.text, return_tensors="pt", return_token_type_ids=False)
    tokens = loaded.network.generate(**inputs, max_new_tokens=9)[0]
    start = inputs["input_ids"].shape[1] if loaded.is_decoder_only else 1
    return loaded.tokenizer.decode(tokens[start:], skip_special_tokens=True).strip()


def test_encoder_tokens_are_read_by_the_settings_that_need_them(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_models.tiny_bart(), folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "encoder_no_repeat_ngram_size": 1}))
    loaded = model(folder)
    assert loaded.backend.text_writing is None
    assert loaded.generate(PROMPTS, max_new_tokens=9) == [transformers_text(loaded, prompt) for prompt in PROMPTS]


@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_bart], ids=["engine", "transformers"])
def test_texts_with_near_ties_are_written_alone(build: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = model(build())
    texts = loaded.generate(PROMPTS, max_new_tokens=6)
    rows: list[int] = []
    plain = loaded.network.generate

    def counted(**inputs: Any) -> Any:
        found = plain(**inputs)
        if "custom_generate" not in inputs:
            rows.append(len(found))
        return found

    monkeypatch.setattr(loaded.network, "generate", counted)
    assert loaded.generate(PROMPTS, max_new_tokens=6) == texts
    assert rows == []
    monkeypatch.setattr(token_choice, "ROUNDING", 10.0)
    assert loaded.generate(PROMPTS, max_new_tokens=6) == texts
    assert rows == [1, 1, 1]


def test_memory_does_not_grow_with_the_number_of_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = cast("Any", load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", batch_size=6)))
    sizes: list[int] = []
    held: list[SharedBeginning] = []
    most_held = 0
    drop = SlotCache.drop

    def watched(cache: SlotCache, slot: int) -> None:
        nonlocal most_held
        held.extend(shared for shared in cache.shared if shared is not None and shared not in held)
        drop(cache, slot)
        most_held = max(most_held, sum(bool(shared.layers) for shared in held))
        sizes.append(len(cache))

    assert loaded.backend.text_writing is not None  # its trial is not watched
    monkeypatch.setattr(SlotCache, "drop", watched)
    beginnings = ["the river and the mountain " * 40, "a star and a planet " * 50, "glass or paper " * 60]
    prompts = [Prompt(f"{one} {number}") for one in beginnings for number in range(40)]
    assert len(set(loaded.generate(prompts, max_new_tokens=3))) > 1
    assert max(sizes) == 5
    assert [shared.users for shared in held] == [0, 0, 0]
    assert most_held <= 2


def test_a_stopped_evaluation_continues_with_the_texts_that_are_missing(tmp_path: Path) -> None:
    lines = tiny_models.sentences(12, seed=5)
    examples = tuple(Example(f"e{at}", {"text": line}, reference=line[:9]) for at, line in enumerate(lines))
    task = Task("notes", Kind.FREE_TEXT, "notes", examples)
    collection = tmp_path / "mine.yaml"
    collection.write_text(json.dumps({"name": "mine", "instructions": [{"id": "a", "template": "{{ text }} so:"}]}))

    class Stops:
        """The model, stopped by Ctrl-C after some texts."""

        def __init__(self, most: int) -> None:
            self.model, self.most, self.asked = model(tiny_models.tiny_llama()), most, 0
            self.identity = self.model.identity

        def write_answers(self, prompts: Any, *, on_scores: Any, **how: Any) -> None:
            def take(index: int, scores: OptionScores | ModelError) -> None:
                if self.asked == self.most:
                    raise KeyboardInterrupt
                self.asked += 1
                on_scores(index, scores)

            self.model.write_answers(prompts, on_scores=take, **how)

    def run(out: str, most: int) -> tuple[Stops, Any]:
        stops = Stops(most)
        return stops, phraseproof.evaluate(
            cast("Any", stops), task, {"mine": str(collection)}, tmp_path / out, max_new_tokens=6, self_test=False
        )

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run("stopped", 5)
    stops, continued = run("stopped", 99)
    assert stops.asked == 7
    _, whole = run("whole", 99)
    assert texts_of(continued) == texts_of(whole)
    assert len(texts_of(whole)) == 12


def texts_of(run: Any) -> dict[str, str]:
    """The stored text of each example."""
    rows = run.query("SELECT example_id, text FROM outcomes").to_pylist()
    return {row["example_id"]: row["text"] for row in rows}


@pytest.mark.parametrize("path", ["engine", "transformers"])
def test_a_text_may_be_empty(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if path == "transformers":
        monkeypatch.setattr(Backend, "text_writing", None)
    loaded = model(tiny_models.tiny_llama())
    loaded.network.generation_config.eos_token_id = list(range(400))
    found = written(loaded, PROMPTS[:1])[0]
    assert found.asked_tokens == found.prompt_tokens
    loaded.network.generation_config.eos_token_id = [2]
    stopped = written(loaded, PROMPTS[:1], stop=[str(written(loaded, PROMPTS[:1])[0].text)[:1]])[0]
    assert stopped.text == ""
    assert not isinstance(stopped.text, CutText)


@pytest.mark.real
def test_smollm2_writes_what_transformers_writes_for_each_prompt_alone() -> None:
    loaded = real_models.smollm2()
    network, tokenizer = real_models.plain_smollm2()
    notes = "The bridge over the river is closed until June. Trucks take the road through the hills."
    asks = ("Summarise this in one sentence.", "What is closed?", "Write a headline.")
    prompts = [Prompt(f"{notes}\n\n{ask}") for ask in asks] + [Prompt(f"{asks[0]}\n\n{notes}")]
    texts = loaded.generate(prompts, max_new_tokens=12)
    for prompt, text in zip(prompts, texts, strict=True):
        inputs = tokenizer(prompt.text, return_tensors="pt")
        tokens = network.generate(
            **inputs, max_new_tokens=12, do_sample=False, temperature=None, top_p=None, top_k=None
        )[0, inputs["input_ids"].shape[1] :]
        assert text == tokenizer.decode(tokens, skip_special_tokens=True).strip()
