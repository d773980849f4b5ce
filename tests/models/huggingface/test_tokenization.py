from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Prompt
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.tokenization import PromptTokenizer
from support import tiny_models

BOS, EOS_T5 = 1, 1


@functools.cache
def llama() -> Any:
    return tiny_models.llama_tokenizer()


@functools.cache
def t5() -> Any:
    return tiny_models.t5_tokenizer()


def joined(*prompts: Prompt) -> Any:
    return PromptTokenizer(llama(), joined=True).encode(prompts)


def apart(*prompts: Prompt) -> Any:
    return PromptTokenizer(t5(), joined=False).encode(prompts)


words = st.text(st.sampled_from("red king of A B.\n\t?é"), max_size=30)


@given(words, words.filter(lambda text: bool(text.strip())), st.sampled_from(["", " ", "\n"]))
def test_joined_tokens_spell_the_text(text: str, option: str, delimiter: str) -> None:
    (encoded,) = joined(Prompt(text, (option,), target_delimiter=delimiter))
    assert encoded.context[0] == BOS
    if encoded.apart:
        assert llama().decode(encoded.context[1:] + encoded.options[0]) == text + delimiter + option
        assert llama().decode(encoded.context[1:]) == text.rstrip()


@given(words, words.filter(lambda text: bool(text.strip())))
def test_the_encoder_reads_the_prompt_and_the_option_has_no_special_tokens(text: str, option: str) -> None:
    (encoded,) = apart(Prompt(text, (option,)))
    assert encoded.context == tuple(t5()(text.rstrip()).input_ids)
    tail = text[len(text.rstrip()) :] + " " + option
    assert encoded.options == (tuple(t5()(tail, add_special_tokens=False).input_ids),)


def test_white_space_moves_from_the_prompt_to_the_option() -> None:
    spaced, plain = joined(
        Prompt("the king \n", ("red",), target_delimiter=""), Prompt("the king", ("red",), target_delimiter=" \n")
    )
    assert spaced == plain


def test_special_tokens_are_not_doubled() -> None:
    (written,) = joined(Prompt("<s>the king", ("red",)))
    (added,) = joined(Prompt("the king", ("red",)))
    assert written == added
    (chat,) = joined(Prompt("<s>the king", ("red",), has_special_tokens=True))
    assert chat == added
    (bare,) = joined(Prompt("the king", ("red",), has_special_tokens=True))
    assert bare.context == added.context[1:]


def test_a_prompt_without_text_is_the_bos_or_else_the_eos() -> None:
    (empty,) = joined(Prompt("", ("red",)))
    assert empty.context == (BOS,)
    assert llama().decode(empty.options[0]) == " red"
    (repeated,) = joined(Prompt("", ("<s>red",), target_delimiter=""))
    assert repeated.options == (tuple(llama()("red").input_ids[1:]),)
    assert apart(Prompt("", ("red",)))[0].context == (EOS_T5,)
    nameless = PromptTokenizer(tiny_models.gpt2_tokenizer(), joined=True)
    nameless._prefix_id = None
    with pytest.raises(ModelError, match="neither a BOS nor an EOS"):
        nameless.encode([Prompt("", ("red",))])


def test_options_that_merge_with_the_prompt_are_told() -> None:
    assert joined(Prompt("the king", ("red",)))[0].apart
    assert not joined(Prompt("the ki", ("ng",), target_delimiter=""))[0].apart


def test_the_papers_tokens() -> None:
    prompt = Prompt("the king \n", ("red", "of the west"))
    (encoded,) = PromptTokenizer(llama(), joined=True).encode_apart([prompt])
    assert encoded.context == tuple(llama()("the king \n").input_ids), "the text is not stripped"
    assert encoded.options == tuple(tuple(llama()(option).input_ids[1:]) for option in prompt.options)
    (encoded,) = PromptTokenizer(t5(), joined=False).encode_apart([prompt])
    assert encoded.options == tuple(tuple(t5()(option).input_ids) for option in prompt.options)
    assert all(option[-1] == EOS_T5 for option in encoded.options)


def test_prompts_of_decoder_only_models_are_not_closed() -> None:
    """A tokenizer that ends every text in EOS, as training tools save it, scores as the same one without."""
    from tokenizers import processors

    closing = tiny_models.llama_tokenizer()
    closing._tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    assert closing("the king").input_ids[-1] == 2
    prompts = [Prompt("the king of", ("A", "red green")), Prompt("", ("A",))]
    tokenizer = PromptTokenizer(closing, joined=True)
    assert tokenizer.closing == (2,)
    assert tokenizer.encode(prompts) == PromptTokenizer(llama(), joined=True).encode(prompts)


def test_encoders_read_prompts_with_their_closing_token() -> None:
    (encoded,) = apart(Prompt("the king", ("A",)))
    assert encoded.context[-1] == EOS_T5


@given(st.lists(words, min_size=1, max_size=3))
def test_counts_are_those_of_the_tokens_without_options(texts: list[str]) -> None:
    prompts = [Prompt(text, ("A", "king of B")) for text in texts]
    for tokenizer, is_joined in ((llama(), True), (t5(), False)):
        counts = PromptTokenizer(tokenizer, joined=is_joined).count(prompts)
        # A prompt without text is read as one token.
        assert counts == [len(tokenizer(text)["input_ids"]) if text else 1 for text in texts]
    bare = [Prompt(text, has_special_tokens=True) for text in texts if text]
    assert PromptTokenizer(llama(), joined=True).count(bare) == [
        len(llama()(prompt.text, add_special_tokens=False)["input_ids"]) for prompt in bare
    ]
