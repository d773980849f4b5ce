"""The decoder starts as `generate` starts it, and never sees the last token of its target."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from phraseproof.engine.decoder_start import decoder_start, shifted_right
from phraseproof.errors import ModelError
from support import tiny_models


def network(**settings: int | None) -> SimpleNamespace:
    return SimpleNamespace(config=SimpleNamespace(**settings), generation_config=SimpleNamespace())


def test_the_configuration_comes_before_the_generation_settings() -> None:
    both = network(decoder_start_token_id=7, bos_token_id=2)
    both.generation_config.decoder_start_token_id = 9
    assert decoder_start(both) == 7
    both.config.decoder_start_token_id = None
    assert decoder_start(both) == 9


def test_the_beginning_of_a_text_is_the_last_resort() -> None:
    assert decoder_start(network(bos_token_id=2)) == 2
    with pytest.raises(ModelError, match="which token its decoder starts with"):
        decoder_start(network())


def test_targets_move_by_one_as_t5_moves_them() -> None:
    t5 = tiny_models.t5_network(64)
    labels = torch.tensor([[5, 9, 14], [3, 8, 1]])
    assert torch.equal(shifted_right(t5, labels), t5.prepare_decoder_input_ids_from_labels(labels=labels))
