"""Decoding of generated tokens: special tokens are left out, except those that mark thoughts before an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from phraseproof.models.huggingface.tokenization import Tokenizer

MARKS: Final = frozenset(
    (
        *(f"<{slash}{name}>" for name in ("think", "thinking", "thought", "reasoning") for slash in ("", "/")),
        *("[THINK]", "[/THINK]", "<|channel|>", "<|message|>"),
    )
)
"""Of published models. Some tokenizers declare them as special, others as ordinary tokens."""


def decoded(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    """The text of tokens without special ones. Marks of thoughts stay: the answer is what comes after them."""
    marks = _special_marks(tokenizer)
    if not marks.keys() & set(tokens):
        return tokenizer.decode(list(tokens), skip_special_tokens=True)
    text = ""
    rest: list[int] = []
    for token in tokens:
        if token in marks:
            text += tokenizer.decode(rest, skip_special_tokens=True) + marks[token]
            rest.clear()
        else:
            rest.append(token)
    return text + tokenizer.decode(rest, skip_special_tokens=True)


@lru_cache(maxsize=8)
def _special_marks(tokenizer: Tokenizer) -> Mapping[int, str]:
    """The special tokens that mark thoughts, by number."""
    numbers: list[int] = tokenizer.all_special_ids
    names: list[str] = tokenizer.convert_ids_to_tokens(numbers)
    return {number: name for number, name in zip(numbers, names, strict=True) if name in MARKS}
