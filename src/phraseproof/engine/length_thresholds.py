"""Lengths at which a network computes something else, as its configuration names them: windows, chunks, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.engine.network import NetworkConfig
from phraseproof.engine.plan.request import Request

_LIMITS = (
    r"max_position_embeddings|max_(source|target|encoder_position|decoder_position)\w*|n_positions|n_ctx|max_seq_len"
    r"|max_sequence_length|context_length|original_max_position_embeddings"
)
_WINDOWS = r"sliding_window(_size)?"
_PIECES = r"\w*(window_size|window_len|attention_window|chunk_size|chunk_length|block_size|local_attention)"
_CHOICES = r"index_topk\w*"
_NAMES = re.compile(f"{_LIMITS}|{_WINDOWS}|{_PIECES}|{_CHOICES}")
_KNOWN_TO_PACKING = re.compile(f"{_LIMITS}|{_WINDOWS}")
_NO_LENGTH = {"chunk_size_feed_forward"}
"""It cuts the work of a layer into pieces, which changes no result."""

_SPARSE_BLOCKS = 5
"""BigBird uses full attention up to this number of blocks, plus two for each random block."""

STEADY_ROTATIONS = {"default", "linear", "llama3", "yarn", "proportional"}
"""Rotary positions that do not depend on the longest sequence of a batch."""


_MULTIPLES = (1, 2, 4)
"""A text may have to fill several windows or chunks before they matter."""


def length_thresholds(config: NetworkConfig) -> tuple[int, ...]:
    """All lengths in tokens that a configuration names, ascending, and small multiples of windows and chunks."""
    found: set[int] = set()
    for name, value in _named(config.to_dict()):
        is_limit = re.fullmatch(_LIMITS, name) is not None
        found |= {factor * value for factor in (_MULTIPLES[:1] if is_limit else _MULTIPLES)}
    return tuple(sorted(found))


def longest_without_choice(config: NetworkConfig) -> int | None:
    """The number of tokens above which the network chooses the tokens it attends to; `None` if it never chooses.

    Which tokens are chosen is a matter of the last bits where their scores are close, so padding may change it.
    """
    chosen = [value for name, value in _named(config.to_dict()) if re.fullmatch(_CHOICES, name)]
    return min(chosen, default=None)


def has_other_thresholds(config: NetworkConfig) -> bool:
    """Whether lengths are named that are neither a context limit nor an attention window."""
    return any(not _KNOWN_TO_PACKING.fullmatch(name) for name, _ in _named(config.to_dict()))


def _named(entries: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield from _named({str(key): part for key, part in value.items()})
        elif _NAMES.fullmatch(name) and name not in _NO_LENGTH:
            for size in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
                if isinstance(size, int) and not isinstance(size, bool) and size > 0:
                    yield name, size
    block, random_blocks = entries.get("block_size"), entries.get("num_random_blocks")
    if isinstance(block, int) and isinstance(random_blocks, int):
        yield "block_size", (_SPARSE_BLOCKS + 2 * random_blocks) * block


class RotaryRegimes(NamedTuple):
    """Where a network's rotary frequencies change with the longest sequence of a pass.

    Attributes:
        limit: up to this many tokens they are the same for every sequence; `None` where they never change.
        is_uniform_beyond: whether they are the same for all sequences that are longer.
    """

    limit: int | None
    is_uniform_beyond: bool

    def of(self, request: Request, before: int) -> int | None:
        """0 if all passes of a request are within the limit, 1 if its context alone is beyond, `None` otherwise.

        Requests of one regime may share a pass; one without a regime is computed alone.

        Args:
            before: the soft prompt's tokens.
        """
        if self.limit is None:
            return 0
        shortest = before + len(request.context)
        longest = shortest + max((len(option) - 1 for option in request.options), default=0) + request.steps
        if longest <= self.limit:
            return 0
        return 1 if self.is_uniform_beyond and shortest > self.limit else None

    def of_length(self, tokens: int) -> int:
        """A number that is the same for all sequences whose lengths may share a pass, padded to the longest.

        0 within the limit. Beyond it 1 where frequencies are uniform, else the number of tokens itself.

        Args:
            tokens: of the whole sequence, the soft prompt's included.
        """
        if self.limit is None or tokens <= self.limit:
            return 0
        return 1 if self.is_uniform_beyond else tokens


def rotary_regimes(config: NetworkConfig) -> RotaryRegimes:
    """Read from a configuration; a kind of rotation that is not known is assumed to change with every length.

    Of an encoder and a decoder with other rotations, the regimes are those in which both stay the same.
    """
    parts = [config.get_text_config(), getattr(config, "encoder", None), getattr(config, "decoder", None)]
    regimes = [_regimes_of(part) for part in parts if part is not None]
    limits = {found.limit for found in regimes if found.limit is not None}
    if not limits:
        return RotaryRegimes(None, True)
    return RotaryRegimes(min(limits), len(limits) == 1 and all(found.is_uniform_beyond for found in regimes))


def _regimes_of(config: NetworkConfig) -> RotaryRegimes:
    declared: dict[str, Any] = getattr(config, "rope_parameters", None) or {}
    by_layer: list[dict[str, Any]] = [value for value in declared.values() if isinstance(value, dict)] or [declared]
    unsteady = [part for part in by_layer if part.get("rope_type", "default") not in STEADY_ROTATIONS]
    if not unsteady:
        return RotaryRegimes(None, True)
    kinds = {part["rope_type"] for part in unsteady}
    if not kinds <= {"longrope", "dynamic"}:
        return RotaryRegimes(0, False)
    name = "original_max_position_embeddings"
    places = [part.get(name) for part in unsteady] + [getattr(config, name, None)]
    if "dynamic" in kinds:
        places.append(getattr(config, "max_position_embeddings", None))
    limits = [place for place in places if place]
    return RotaryRegimes(min(limits, default=0), kinds == {"longrope"} and len(set(limits)) <= 1)
