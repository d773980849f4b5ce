"""Pairs as tokens: the models' own, with one target for all wordings."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.tokens import SetTokens, prompts_of, tokenize_pairs
from phraseproof.core import ChatMessage, Example, FormatsChat, Instruction, Prompt
from phraseproof.errors import UsageError
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.tokenization import PromptTokens
from support import tiny_models

PAIR = ParaphraseSet(
    "Choose the correct option.", ("Which is right?", "Answer:"), "the red king", "north", ("Choose the wrong one.",)
)
CHAT = "{% for m in messages %}<s>[{{ m.role }}] {{ m.content }}{% endfor %}[answer]"


@functools.cache
def loaded(build: Callable[[], Path], **options: Any) -> HuggingFaceModel:
    return cast(HuggingFaceModel, load_model(str(build()), ModelOptions(**options)))


def t5() -> HuggingFaceModel:
    return loaded(tiny_models.tiny_t5)


def llama() -> HuggingFaceModel:
    return loaded(tiny_models.tiny_llama)


def contexts(tokens: SetTokens) -> list[tuple[int, ...]]:
    return [tokens.reference, *tokens.paraphrases, *tokens.negations]


@pytest.mark.parametrize("model", [t5, llama])
@pytest.mark.parametrize("prompt_format", ["plain", "alpaca"])
def test_tokens_are_those_that_scoring_reads(model: Any, prompt_format: str) -> None:
    found = model()
    (tokens,) = tokenize_pairs([PAIR], found, prompt_format=prompt_format)
    scored = found.encode(prompts_of(PAIR, prompt_format=prompt_format))
    assert contexts(tokens) == [each.context for each in scored]
    eos = found.tokenizer.eos_token_id
    assert all((*each.options[0], eos) == tokens.target for each in scored)
    assert len(tokens.paraphrases) == 2
    assert len(tokens.negations) == 1


def test_prompts_in_every_format() -> None:
    plain = prompts_of(PAIR, prompt_format="plain")
    assert plain[1] == Prompt("Which is right?\n\nthe red king", ("north",), " ")
    alpaca = prompts_of(PAIR, prompt_format="alpaca")[0].text
    assert "### Instruction:\nChoose the correct option.\n\n### Input:\nthe red king\n\n### Response:" in alpaca
    whole = prompts_of(ParaphraseSet("Say.", ("Tell.",), " ", "y", target_delimiter="\n"), prompt_format="alpaca")[0]
    assert whole.text.endswith("### Instruction:\nSay.\n\n### Response:")
    assert whole.target_delimiter == "\n"
    last = prompts_of(ParaphraseSet("Say.", ("Tell.",), "x", "y", separator="|", ask_last=True), prompt_format="plain")
    assert [prompt.text for prompt in last] == ["x|Say.", "x|Tell."]


def test_chat_templates_write_their_own_special_tokens() -> None:
    model = loaded(functools.partial(tiny_models.tiny_llama, chat_template=CHAT))
    (tokens,) = tokenize_pairs([PAIR], model)
    bos = model.tokenizer.bos_token_id
    assert all(context[0] == bos and bos not in context[1:] for context in contexts(tokens))
    assert model.tokenizer.decode(tokens.reference).endswith("the red king[answer]")
    assert model.tokenizer.decode(tokens.target) == "north</s>"


anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: text.strip())


@given(anything, anything, anything, anything)
def test_texts_pass_as_they_are(instruction: str, paraphrase: str, laid_out: str, target: str) -> None:
    """Braces, quotes, line breaks: what a pair holds is text, never a template."""
    first, second = prompts_of(ParaphraseSet(instruction, (paraphrase,), laid_out, target), prompt_format="plain")
    assert first == Prompt(f"{instruction}\n\n{laid_out}", (target,), " ")
    assert second == Prompt(f"{paraphrase}\n\n{laid_out}", (target,), " ")


words = st.text(st.sampled_from("red king of A B.é"), min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
ends = st.sampled_from(["", " ", "\n", ":\n", "\n\n"])


@given(words, words, words, ends, ends)
def test_wordings_of_one_pair_share_their_target(first: str, second: str, target: str, end: str, other: str) -> None:
    """However white space ends them, prompt and target together are the tokens that scoring reads."""
    pair = ParaphraseSet(first + end, (second + other,), "", target)
    model = llama()
    try:
        (tokens,) = tokenize_pairs([pair], model, prompt_format="plain")
    except UsageError as error:
        if "shares a token" not in str(error):
            raise
        return
    scored = model.encode(prompts_of(pair, prompt_format="plain"))
    for context, each in zip(contexts(tokens), scored, strict=True):
        assert context + tokens.target[:-1] == each.context + each.options[0]


def test_white_space_that_only_some_wordings_end_in() -> None:
    pair = ParaphraseSet("the king:\n", ("the king:",), "", "red")
    (tokens,) = tokenize_pairs([pair], llama(), prompt_format="plain")
    (line,) = llama().encode([Prompt("the king:", ("",), target_delimiter="\n")])
    assert tokens.reference == tokens.paraphrases[0] + line.options[0]
    assert llama().tokenizer.decode(tokens.target) == " red</s>"
    (tokens,) = tokenize_pairs([pair], t5(), prompt_format="plain")
    assert tokens.reference == tokens.paraphrases[0]


def test_a_target_that_melts_into_a_prompt_is_an_error() -> None:
    pair = ParaphraseSet("the stone (", ("the ki",), "", "ng", target_delimiter="", source="mine.jsonl:7")
    with pytest.raises(UsageError, match=r"^mine.jsonl:7: the target 'ng' shares a token .* wording 'the ki'"):
        tokenize_pairs([pair], llama(), prompt_format="plain")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([(7, 6), (5, 6)], "the target 'red' has other tokens after 'Say.' than after 'Tell.'"),
        ([(5, 6), (6,), (7,)], "the target 'red' has other tokens after 'Say.' than after 'Tell.'"),
        ([(), ()], "the target 'red' has no tokens of its own"),
    ],
)
def test_tokenizers_of_other_habits(
    options: list[tuple[int, ...]], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tiny tokenizers never do."""
    model = llama()

    def encode(prompts: Sequence[Prompt]) -> list[PromptTokens]:
        return [PromptTokens((1, 2), (option,)) for _, option in zip(prompts, options, strict=True)]

    monkeypatch.setattr(model, "encode", encode)
    pair = ParaphraseSet("Say.", ("Tell.",), "x", "red", negations=("Not.",) * (len(options) - 2))
    with pytest.raises(UsageError, match=rf"^pair 1: {complaint}"):
        tokenize_pairs([pair], model, prompt_format="plain")


def test_without_an_end_of_text_token_there_is_none() -> None:
    model = loaded(tiny_models.tiny_gpt2)
    (with_one,) = tokenize_pairs([PAIR], model, prompt_format="plain")
    tokenizer = model.tokenizer
    end, tokenizer.eos_token = tokenizer.eos_token, None
    try:
        (without,) = tokenize_pairs([PAIR], model, prompt_format="plain")
    finally:
        tokenizer.eos_token = end
    assert with_one.target == (*without.target, tokenizer.eos_token_id)


def test_an_end_that_the_target_brings_is_not_doubled() -> None:
    (tokens,) = tokenize_pairs([ParaphraseSet("Say.", ("Tell.",), "x", "north</s>")], llama(), prompt_format="plain")
    assert tokens.target.count(llama().tokenizer.eos_token_id) == 1


# ------------------------------------------------------------------------------------------------------------ what fits


def sizes(tokens: SetTokens) -> tuple[int, int]:
    return max(map(len, contexts(tokens))), len(tokens.target)


def test_a_decoder_only_model_reads_prompt_and_target_but_its_last_token() -> None:
    (tokens,) = tokenize_pairs([PAIR], llama(), prompt_format="plain")
    context, target = sizes(tokens)
    fits = context + target - 1
    tokenize_pairs([PAIR], llama(), prompt_format="plain", max_length=fits)
    tokenize_pairs([PAIR], llama(), prompt_format="plain", max_length=fits + 3, reserved=3)
    with pytest.raises(UsageError, match=rf"^pair 1: the prompt .* does not fit .*expected at most {fits - 1} tokens"):
        tokenize_pairs([PAIR], llama(), prompt_format="plain", max_length=fits - 1)
    with pytest.raises(UsageError, match=rf"at most {fits + 2} tokens, 3 of them for the soft prompt"):
        tokenize_pairs([PAIR], llama(), prompt_format="plain", max_length=fits + 2, reserved=3)


def test_an_encoder_decoder_has_room_of_its_own_for_the_target() -> None:
    (tokens,) = tokenize_pairs([PAIR], t5(), prompt_format="plain")
    context, target = sizes(tokens)
    assert target < context
    tokenize_pairs([PAIR], t5(), prompt_format="plain", max_length=context)
    with pytest.raises(UsageError, match="does not fit"):
        tokenize_pairs([PAIR], t5(), prompt_format="plain", max_length=context, reserved=1)
    with pytest.raises(UsageError, match="does not fit"):
        tokenize_pairs([PAIR], t5(), prompt_format="plain", max_length=context - 1)


@pytest.mark.parametrize("model", [t5, llama])
def test_a_target_longer_than_the_context_names_its_pair(model: Any) -> None:
    long = ParaphraseSet("Say.", ("Tell.",), "x", "north of the red king " * 20, source="mine.jsonl:2")
    with pytest.raises(
        UsageError, match=r"^mine.jsonl:2: the target 'north .*' is longer than the model's context"
    ) as caught:
        tokenize_pairs([PAIR, long], model(), prompt_format="plain", max_length=60)
    assert len(str(caught.value).splitlines()) <= 2


def test_the_models_own_limit_holds_unless_another_is_given() -> None:
    model = loaded(functools.partial(tiny_models.tiny_llama, max_length=32))
    with pytest.raises(UsageError, match="at most 32 tokens"):
        tokenize_pairs([ParaphraseSet("Say. " * 20, ("Tell.",), "x", "y")], model, prompt_format="plain")
    tokenize_pairs([ParaphraseSet("Say. " * 20, ("Tell.",), "x", "y")], t5(), prompt_format="plain")


# -------------------------------------------------------------------------------------------- as evaluations write them


class BracketChat:
    """A model that formats chat in brackets."""

    has_chat_template = True

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        return "".join(f"[{message.role}] {message.content}" for message in messages) + "[assistant]"


@pytest.mark.parametrize("prompt_format", ["plain", "alpaca", "chat"])
@pytest.mark.parametrize("target_delimiter", [None, "", "\n"])
@pytest.mark.parametrize("ask_last", [False, True])
@pytest.mark.parametrize("laid_out", ["the red king", " "])
def test_prompts_are_those_of_an_instruction_with_these_texts(
    prompt_format: str, target_delimiter: str | None, ask_last: bool, laid_out: str
) -> None:
    has_input = bool(laid_out.strip())
    paraphrases = ParaphraseSet(
        "Say.", ("Tell.",), laid_out, "y", target_delimiter=target_delimiter, separator="|", ask_last=ask_last
    )
    expected = [
        build_prompt(
            compile_instruction(
                Instruction(
                    id="one",
                    collection="mine",
                    ask="{{ text }}" if has_input else None,
                    layout="{{ input }}" if has_input else None,
                    template=None if has_input else "{{ text }}",
                    ask_last=ask_last,
                    separator="|",
                    answer="{{ choice }}",
                    target_delimiter=target_delimiter,
                )
            ),
            Example("1", {"text": text, "input": laid_out}, ("y",), (1.0,)),
            demonstrations=(),
            prompt_format=prompt_format,
            chat_model=cast(FormatsChat, BracketChat()),
        )
        for text in ("Say.", "Tell.")
    ]
    found = prompts_of(paraphrases, prompt_format=prompt_format, chat_model=cast(FormatsChat, BracketChat()))
    assert found == expected


OPTIONS = ("north", "south", "east")


@pytest.mark.parametrize("model", [t5, llama])
def test_without_a_label_the_end_is_no_target(model: Any) -> None:
    labelled, unlabelled = tokenize_pairs([PAIR, dataclasses.replace(PAIR, labelled=False)], model())
    eos = model().tokenizer.eos_token_id
    assert labelled.target == (*unlabelled.target, eos)
    assert (labelled.has_end, unlabelled.has_end) == (True, False)
    assert (labelled.labelled, unlabelled.labelled) == (True, False)
    assert contexts(labelled) == contexts(unlabelled)


@pytest.mark.parametrize("model", [t5, llama])
def test_options_have_the_tokens_that_they_have_as_targets(model: Any) -> None:
    pair = dataclasses.replace(PAIR, options=OPTIONS)
    (tokens,) = tokenize_pairs([pair], model(), with_options=True)
    alone = tokenize_pairs([dataclasses.replace(PAIR, target=text) for text in OPTIONS], model())
    assert tokens.options == tuple(each.target for each in alone)
    assert tokens.target == tokens.options[0]
    assert contexts(tokens) == contexts(alone[0])
    (without,) = tokenize_pairs([pair], model())
    assert (without.options, without.weights) == ((), ())


def test_a_teachers_distribution_brings_its_probable_options() -> None:
    pair = dataclasses.replace(PAIR, options=OPTIONS, option_probabilities=(0.6, 0.004, 0.396))
    (tokens,) = tokenize_pairs([pair], llama())
    assert tokens.weights == pytest.approx((0.6 / 0.996, 0.396 / 0.996))
    assert len(tokens.options) == 2
    (every,) = tokenize_pairs([pair], llama(), with_options=True)
    assert every.weights == pytest.approx((0.6, 0.004, 0.396))
    sure = dataclasses.replace(pair, option_probabilities=(0.995, 0.005, 0.0))
    (one,) = tokenize_pairs([sure], llama())
    assert (one.options, one.weights) == ((), ())


def test_a_target_that_is_no_option_is_named() -> None:
    pair = dataclasses.replace(PAIR, options=OPTIONS, target="up", source="pairs.jsonl:1")
    with pytest.raises(UsageError, match=r"pairs.jsonl:1: the target 'up' is not one of the pair's options"):
        tokenize_pairs([pair], llama(), with_options=True)
