from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.models.huggingface.token_ids import token_ids
from support import tiny_models

BUILDERS = {
    "unigram": tiny_models.t5_tokenizer,
    "sentences": tiny_models.llama_tokenizer,
    "bytes": tiny_models.gpt2_tokenizer,
}
TEXTS = ["the king", "", "<s>a river </s>of light", "é🌊 Ångström\n\n  planet", " x" * 40]

tokenizer = functools.cache(lambda name: BUILDERS[name]())


def expected(tokenizer: Any, texts: list[str], special: bool) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=special, verbose=False)["input_ids"]


@pytest.mark.parametrize("name", BUILDERS)
@settings(max_examples=25)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=4), special=st.booleans()
)
def test_ids_are_those_of_transformers(name: str, texts: list[str], special: bool) -> None:
    texts = [*texts, *TEXTS]
    assert token_ids(tokenizer(name), texts, special=special) == expected(tokenizer(name), texts, special)


def calls_of(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the calls of transformers' own way."""
    found: list[int] = []
    plain = type(tokenizer)._encode_plus

    def counted(self: Any, text: Any, **rest: Any) -> Any:
        found.append(len(text))
        return plain(self, text=text, **rest)

    monkeypatch.setattr(type(tokenizer), "_encode_plus", counted)
    return found


def test_transformers_encodes_only_the_shortest_text(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = calls_of(tokenizer("bytes"), monkeypatch)
    assert len(token_ids(tokenizer("bytes"), TEXTS, special=True)) == len(TEXTS)
    assert calls == [1]


def test_the_backend_follows_the_settings_of_the_tokenizer() -> None:
    own = tiny_models.llama_tokenizer()
    own(TEXTS, padding=True, truncation=True, max_length=4)  # sets its backend so
    found = token_ids(own, TEXTS, special=True)
    assert found == expected(tiny_models.llama_tokenizer(), TEXTS, special=True)
    own.split_special_tokens = True
    split = token_ids(own, TEXTS, special=False)
    assert split == expected(own, TEXTS, special=False)
    assert split != token_ids(tokenizer("sentences"), TEXTS, special=False)


def test_a_class_that_encodes_otherwise_is_used_as_it_is() -> None:
    own = tiny_models.gpt2_tokenizer()
    plain = type(own)._encode_plus

    def lower(self: Any, text: Any, **rest: Any) -> Any:
        return plain(self, text=[each.lower() for each in text], **rest)

    kind: Any = type("Lower", (type(own),), {"_encode_plus": lower})
    own.__class__ = kind
    texts = ["x", "The KING and the PLANET"]  # the shortest text does not show it
    assert token_ids(own, texts, special=False) == expected(tokenizer("bytes"), [t.lower() for t in texts], False)


def test_a_backend_with_other_ids_is_not_used() -> None:
    class OtherIds:
        """Forgets special tokens."""

        def encode_batch_fast(self, texts: list[str], **_: Any) -> Any:
            return tiny_models.llama_tokenizer().backend_tokenizer.encode_batch_fast(texts, add_special_tokens=False)

    own = tiny_models.llama_tokenizer()
    kind: Any = type("Own", (type(own),), {"backend_tokenizer": OtherIds()})
    own.__class__ = kind
    assert token_ids(own, TEXTS, special=True) == expected(tokenizer("sentences"), TEXTS, special=True)
