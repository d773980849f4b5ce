"""Which tokens are the option's: any cut of any text into tokens, named in any way, is found again or refused."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.models.openai.echoed_tokens import _ALPHABET, AlignmentError, Share, share_of_option

_NAMES = {byte: character for character, byte in _ALPHABET.items()}

texts = st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=8)


@st.composite
def cut_bytes(draw: st.DrawFn, text: str) -> list[bytes]:
    data = text.encode()
    bounds = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=8))})
    return [data[first:end] for first, end in pairwise(bounds)]


def test_the_alphabet_is_that_of_byte_level_tokenizers() -> None:
    from tokenizers.pre_tokenizers import ByteLevel

    assert set(_ALPHABET) == set(ByteLevel.alphabet())
    assert "".join(_NAMES[byte] for byte in "\u00b0 \n".encode()) == "\u00c2\u00b0\u0120\u010a"


@given(st.data(), texts, texts, st.sampled_from(["", "<s>", "<|begin_of_text|>"]), st.booleans())
def test_byte_level_names_are_found(data: st.DataObject, start: str, tail: str, first: str, generates: bool) -> None:
    before, own = data.draw(cut_bytes(start)), data.draw(cut_bytes(tail))
    names = ["".join(_NAMES[byte] for byte in token) for token in (*before, *own)]
    tokens = [*([first] if first else []), *names, *(["x"] if generates else [])]
    try:
        share = share_of_option(tokens, start, tail)
    except AlignmentError:
        # Names that also spell the text as they are written may be cut elsewhere; then it must not be scored.
        assert any(name.isascii() for name in names)
        return
    assert share == Share(len(before) + bool(first), len(before) + bool(first) + len(own))


@given(st.data(), texts, texts, st.booleans())
def test_tokens_decoded_alone_are_found_or_refused(data: st.DataObject, start: str, tail: str, generates: bool) -> None:
    before, own = data.draw(cut_bytes(start)), data.draw(cut_bytes(tail))
    tokens = [token.decode(errors="replace") for token in (*before, *own, *([b"x"] if generates else []))]
    try:
        share = share_of_option(tokens, start, tail)
    except AlignmentError:
        assert any("\ufffd" in token for token in tokens)
        return
    assert share == Share(len(before), len(before) + len(own))


@pytest.mark.parametrize(
    ("tokens", "start", "tail", "share"),
    [
        (["Say", " moon"], "Say", " moon", (1, 2)),
        (["Say", " moon", ""], "Say", " moon", (1, 2)),
        (["Say", " mo", "", "on", "!"], "Say", " moon", (1, 4)),
        (["<s>", "\u2581Say", "\u2581moon", "</s>"], "Say", " moon", (2, 3)),
        (["\u2581", "\u2581Say", "\u2581", "<0xC2>", "<0xB0>"], " Say", " \u00b0", (2, 5)),
        (["Say", " ", "bytes:\\xc2", "bytes:\\xb0", "."], "Say", " \u00b0", (1, 4)),
        (["\ufffd", "\ufffd", "?", " a"], "\U0001f600?", " a", (3, 4)),
        (["<s>", "<s>", "a", "b"], "<s>a", "b", (3, 4)),
    ],
)
def test_ways_of_naming(tokens: list[str], start: str, tail: str, share: tuple[int, int]) -> None:
    assert share_of_option(tokens, start, tail) == share


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["Say", " star"], "do not spell the prompt"),
        (["Say", " mo"], "do not spell the prompt"),
        (["You", "Say", " moon"], "do not spell the prompt"),
        (["Say m", "oon"], "holds the prompt's end and the option's beginning: 'Say m'"),
        (["Say", "", " moon"], "without text is between prompt and option"),
        (["Say", " moon!"], "do not spell the prompt"),
        (["Say", " moon", "Say", " moon"], "do not spell the prompt"),
        (["Say", " moon", "", "!"], "do not spell the prompt"),
    ],
)
def test_what_leaves_it_open_is_refused(tokens: list[str], message: str) -> None:
    with pytest.raises(AlignmentError, match=re.escape(message)):
        share_of_option(tokens, "Say", " moon")


def test_part_of_a_character_that_may_belong_to_either_side_is_refused() -> None:
    assert share_of_option(["\ufffd", "\ufffd", "\ufffd", "!"], "", "\u4f60") == (0, 3)
    with pytest.raises(AlignmentError, match="may be the option's, or follow it"):
        share_of_option(["\ufffd", "\ufffd", "\ufffd"], "", "\u4f60")  # two for the option and a generated one?
    assert share_of_option(["\ufffd", "\ufffd"], "\u4f60", "\u597d") == (1, 2)  # a mark is at most three bytes
    with pytest.raises(AlignmentError, match="holds"):
        share_of_option(["\ufffd", "\ufffd", "\ufffd"], "\u4f60", "\u597d")


def test_offsets_place_tokens_that_do_not_spell_the_text() -> None:
    tokens, echoed = ["Say", "moon", "!"], "Say moon!"
    assert share_of_option(tokens, "Say", " moon", offsets=[0, 3, 8], echoed=echoed) == (1, 2)
    for offsets in ([0, 1, 2], [0, 3], [3, 0, 8], [0, 9, 9]):
        with pytest.raises(AlignmentError, match="do not spell"):
            share_of_option(tokens, "Say", " moon", offsets=offsets, echoed=echoed)
