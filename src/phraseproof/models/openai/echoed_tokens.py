"""Which of the tokens that a server echoes are an option's.

A server names tokens in its own way: by their text, each decoded alone (part of a character becomes U+FFFD), by the
names of a byte-level vocabulary (`Ġriver`, `Â°`), by those of SentencePiece (`▁river`, `<0xC2>`), or with bytes spelt
out (`bytes:\\xc2`). Each way is tried. Everything is compared in bytes, because a token may hold part of a character.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

MAX_GENERATED = 1
"""The number of tokens that a request for scores lets the server generate: they follow the text and are not scored."""

_MAX_START_TOKENS = 3
_START_TOKEN = re.compile(r"\s*|<.*>|\[.*\]", re.DOTALL)
"""How tokenizers name the tokens that they put before a text: `<s>`, `<|begin_of_text|>`, `[CLS]`, or no text."""

_BYTE_NAME = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_BYTES_NAME = re.compile(r"bytes:((?:\\x[0-9A-Fa-f]{2})+)")
_UNKNOWN = "\ufffd"
_MAX_UNKNOWN_BYTES = 3


_BOS_NAME = re.compile(r"<[^\s<>]+>|\[[A-Z]+\]")


def repeated_bos(tokens: Sequence[str], text: str) -> str | None:
    """The BOS token that an echo begins with twice; `None` if there is at most one, or the text itself has two.

    A first token without a name counts as the BOS token that follows it.
    """
    if len(tokens) < 2 or tokens[0] not in {"", tokens[1]} or not _BOS_NAME.fullmatch(tokens[1]):
        return None
    return None if text.startswith(tokens[1] * 2) else tokens[1]


class Share(NamedTuple):
    """The tokens of an echo: those before `first` are the prompt's, from there to `end` the option's."""

    first: int
    end: int


class AlignmentError(ValueError):
    """The tokens do not say which of them are the option's."""


def share_of_option(
    tokens: Sequence[str],
    start: str,
    tail: str,
    *,
    offsets: Sequence[int] | None = None,
    echoed: str | None = None,
    generated: int = MAX_GENERATED,
    unnamed: int = 0,
) -> Share:
    """The tokens of `tail` among those of `start + tail`.

    Args:
        tokens: the names of the tokens, in order; what the server put before and after the text is among them.
        start: the prompt, which must end where a token ends.
        tail: the target delimiter and the option.
        offsets: the place of each token in `echoed`, if the server sends it; used only where no way of naming tokens
            spells the text, and checked against every token that is text.
        echoed: the server's copy of the text, with what it generated.
        generated: the largest number of tokens that follow the text.
        unnamed: how many tokens at the start have no name, 0 or 1: it may be a BOS token or the prompt's beginning.

    Raises:
        AlignmentError: the tokens do not spell the text, or leave open which of them are the option's.
    """
    text = (start + tail).encode()
    border = len(start.encode())
    for spell in _SPELLINGS:
        parts = [spell(token) for token in tokens[unnamed:]]
        leads = [{lead} for lead in _possible_leads(tokens[unnamed:], parts)]
        for places in [*leads, set(range(1, border + 1))] if unnamed else leads:
            shares = [
                _share(spans, border, start + tail)
                for number in range(generated + 1)
                if (spans := _spans(parts[: len(parts) - number], places, text)) is not None
            ]
            if shares:
                if len(shares) > 1:
                    raise AlignmentError("the last token may be the option's, or follow it")
                return Share(shares[0].first + unnamed, shares[0].end + unnamed)
    if offsets is not None and echoed is not None:
        placed = _spans_by_offset(tokens, offsets, echoed, start + tail)
        if placed is not None:
            return _share(placed, len(start), start + tail)
    raise AlignmentError("the server's tokens do not spell the prompt")


# ------------------------------------------------------------------------------------------------------------ spellings


class _Unknown(NamedTuple):
    """Bytes of part of a character, whose values and number the name of a token does not say."""

    low: int
    high: int


_Parts = tuple[bytes | _Unknown, ...]


def _as_text(token: str) -> _Parts:
    if _UNKNOWN not in token:
        return (token.encode(errors="surrogatepass"),)
    parts: list[bytes | _Unknown] = []
    for piece in re.split(f"({_UNKNOWN}+)", token):
        if piece.startswith(_UNKNOWN):
            parts.append(_Unknown(len(piece), _MAX_UNKNOWN_BYTES * len(piece)))
        elif piece:
            parts.append(piece.encode(errors="surrogatepass"))
    return tuple(parts)


def _byte_alphabet() -> dict[str, int]:
    """The characters by which byte-level tokenizers write the 256 bytes (GPT-2, Radford et al. 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


_ALPHABET = _byte_alphabet()


def _as_byte_level_name(token: str) -> _Parts:
    if all(character in _ALPHABET for character in token):
        return (bytes(_ALPHABET[character] for character in token),)
    return (token.encode(errors="surrogatepass"),)  # an added token is named by its text


def _as_sentencepiece_name(token: str) -> _Parts:
    if byte := _BYTE_NAME.fullmatch(token):
        return (bytes.fromhex(byte[1]),)
    return _as_text(token.replace("\u2581", " "))


def _as_spelt_bytes(token: str) -> _Parts:
    if spelt := _BYTES_NAME.fullmatch(token):
        return (bytes.fromhex(spelt[1].replace("\\x", "")),)
    return _as_text(token)


_SPELLINGS: tuple[Callable[[str], _Parts], ...] = (
    _as_text,
    _as_byte_level_name,
    _as_sentencepiece_name,
    _as_spelt_bytes,
)


def possible_texts(token: str) -> tuple[str, ...]:
    """The texts that a token's name may stand for, the name itself first; parts of characters become U+FFFD."""
    spelt = ([part for part in spell(token) if isinstance(part, bytes)] for spell in _SPELLINGS)
    return tuple(dict.fromkeys((token, *(b"".join(parts).decode(errors="replace") for parts in spelt))))


# ------------------------------------------------------------------------------------------------------------ alignment


class _Span(NamedTuple):
    """Where a token may begin and end in the text; one place each unless bytes are unknown."""

    firsts: frozenset[int]
    ends: frozenset[int]


def _possible_leads(tokens: Sequence[str], parts: Sequence[_Parts]) -> list[int]:
    """Places below zero at which the echo may begin: start tokens, and a space that tokenizers put before a text."""
    leads: list[int] = []
    before = 0
    for token, spelt in zip(tokens[: _MAX_START_TOKENS + 1], parts, strict=False):
        leads.append(before)
        known = spelt[0] if spelt else b""
        if isinstance(known, bytes) and known.startswith(b" "):
            leads.append(before - 1)
        if not _START_TOKEN.fullmatch(token) or not all(isinstance(part, bytes) for part in spelt):
            break
        before -= sum(len(part) for part in spelt if isinstance(part, bytes))
    return list(dict.fromkeys(leads))


def _spans(parts: Sequence[_Parts], leads: set[int], text: bytes) -> list[_Span] | None:
    """The places that every token may have if the first is at one of `leads`; None if they do not spell the text."""
    if not parts:
        return None
    before: list[set[int]] = [leads]
    for spelt in parts:
        before.append({end for first in before[-1] for end in _ends(spelt, first, text)})
        if not before[-1]:
            return None
    before[-1] &= {len(text)}
    before[-2] -= {len(text)}  # a token without text that comes last adds nothing to the option: it is a generated one
    for index in range(len(parts) - 1, -1, -1):  # keep only places from which the end is reached
        later = before[index + 1]
        before[index] = {place for place in before[index] if not later.isdisjoint(_ends(parts[index], place, text))}
    if not before[0]:
        return None
    return [_Span(frozenset(firsts), frozenset(ends)) for firsts, ends in pairwise(before)]


def _ends(spelt: _Parts, first: int, text: bytes) -> set[int]:
    """The places at which a token that begins at `first` may end, where it spells the text."""
    places = {first}
    for part in spelt:
        if isinstance(part, bytes):
            places = {place + len(part) for place in places if _agrees(part, place, text)}
        else:
            places = {
                place + length
                for place in places
                for length in range(part.low, part.high + 1)
                if all(byte >= 0x80 for byte in text[max(0, place) : max(0, place + length)])
            }
    return places


def _agrees(part: bytes, place: int, text: bytes) -> bool:
    """Whether a part is the text's at a place; what is before the text agrees with everything."""
    if place < 0:
        part, place = part[-place:], 0
    return text.startswith(part, place)


def _spans_by_offset(tokens: Sequence[str], offsets: Sequence[int], echoed: str, text: str) -> list[_Span] | None:
    """The places of tokens by the server's own count, in characters of the text; None if a token contradicts it."""
    lead = echoed.find(text)
    last = lead + len(text)
    if len(offsets) != len(tokens) or lead < 0 or not _START_TOKEN.fullmatch(echoed[:lead]):
        return None
    bounds = [*offsets, max(len(echoed), *offsets)]
    spans: list[_Span] = []
    for token, first, end in zip(tokens, bounds[:-1], bounds[1:], strict=True):
        is_text = _UNKNOWN not in token and not _BYTES_NAME.fullmatch(token)
        if end < first or (is_text and token.strip() not in echoed[first:end]):
            return None
        if first < last < end:
            return None
        spans.append(_Span(frozenset({first - lead}), frozenset({end - lead})))
    own = [span for span in spans if min(span.firsts) < len(text)]
    return own if len(spans) - len(own) <= MAX_GENERATED else None


def _share(spans: Sequence[_Span], border: int, text: str) -> Share:
    """The tokens after the border, a place in the text.

    Raises:
        AlignmentError: a token holds both sides of the border, or it is open on which side one is.
    """
    for span in spans:
        if min(span.firsts) < border < max(span.ends):
            held = text.encode()[max(0, min(span.firsts)) : max(span.ends)].decode(errors="replace")
            raise AlignmentError(f"a token holds the prompt's end and the option's beginning: {held!r}")
        if min(span.firsts) == max(span.ends) == border:
            raise AlignmentError("a token without text is between prompt and option, and may belong to either")
    before = sum(max(span.ends) <= border for span in spans)
    if before == len(spans):
        raise AlignmentError("the server sent no token for the option")
    return Share(before, len(spans))
