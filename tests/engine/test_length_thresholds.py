"""What a configuration says about lengths, against the fields of real configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from transformers import DeepseekV32Config, LlamaConfig, Mamba2Config, MistralConfig, Phi3Config

from phraseproof.engine.length_thresholds import (
    has_other_thresholds,
    length_thresholds,
    longest_without_choice,
    rotary_regimes,
)
from phraseproof.engine.plan.request import Request


def rope(kind: str, **settings: Any) -> dict[str, Any]:
    return {"rope_type": kind, "rope_theta": 10000.0, **settings}


LONGROPE = Phi3Config(
    max_position_embeddings=131072,
    original_max_position_embeddings=4096,
    rope_parameters=rope("longrope", short_factor=[1.0] * 48, long_factor=[2.0] * 48),
)


def request(context: int, *options: int) -> Request:
    return Request(np.zeros(context, dtype=np.int32), tuple((5,) * size for size in options))


def test_limits_and_windows_are_named() -> None:
    found = length_thresholds(MistralConfig(sliding_window=4096, max_position_embeddings=32768))
    assert {4096, 8192, 16384, 32768} <= set(found)
    assert 65536 not in found, "a context limit has no multiples"


@pytest.mark.parametrize("config", [LlamaConfig(), MistralConfig()])
def test_common_networks_name_nothing_else(config: Any) -> None:
    assert not has_other_thresholds(config)
    assert longest_without_choice(config) is None


def test_chunks_and_chosen_tokens_are_found() -> None:
    assert has_other_thresholds(Mamba2Config())
    assert longest_without_choice(DeepseekV32Config(index_topk=2048)) == 2048


def test_steady_rotations_have_one_regime() -> None:
    config = LlamaConfig(
        rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=2048), max_position_embeddings=8192
    )
    assert rotary_regimes(config).of(request(9000, 3), before=0) == 0


def test_longrope_has_two_regimes_and_options_that_cross_have_none() -> None:
    regimes = rotary_regimes(LONGROPE)
    assert regimes.limit == 4096
    assert regimes.of(request(4094, 1, 3), before=0) == 0, "an option's last token is not read"
    assert regimes.of(request(4094, 1, 4), before=0) is None
    assert regimes.of(request(4097, 1, 4), before=0) == 1
    assert regimes.of(request(4096, 1), before=1) == 1, "virtual tokens take positions"


def test_dynamic_rotations_differ_for_every_length_beyond_the_limit() -> None:
    config = LlamaConfig(max_position_embeddings=2048, rope_parameters=rope("dynamic", factor=2.0))
    regimes = rotary_regimes(config)
    assert regimes.of(request(2048, 1), before=0) == 0
    assert regimes.of(request(3000, 1), before=0) is None
