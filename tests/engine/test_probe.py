"""Networks are packed only where they give the same scores that way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from phraseproof.engine.attention import causal
from phraseproof.engine.packed_causal_lm import LastLayer
from phraseproof.engine.probe import probe_causal_lm, probe_seq2seq_lm
from support import tiny_models
from support.leaking_heads import leaks_of_later_tokens


def test_an_ordinary_decoder_can_be_packed_and_its_last_layer_narrowed() -> None:
    support = probe_causal_lm(tiny_models.llama_network(64).eval())
    assert support is not None
    assert support.last_layer is not None


def test_a_recurrent_network_cannot_be_packed() -> None:
    assert probe_causal_lm(AutoModelForCausalLM.from_pretrained(tiny_models.tiny_mamba()).eval()) is None


def test_t5_can_be_packed_and_bart_cannot() -> None:
    assert probe_seq2seq_lm(tiny_models.t5_network(64).eval()) is not None
    assert probe_seq2seq_lm(AutoModelForSeq2SeqLM.from_pretrained(tiny_models.tiny_bart()).eval()) is None


def test_a_network_that_looks_ahead_is_found_out() -> None:
    network = tiny_models.llama_network(64).eval()
    head = network.lm_head.forward
    # What is projected depends on how many tokens the row has: packing would change every score.
    network.lm_head.forward = lambda states: head(states) + torch.arange(64) * states.shape[1] * 0.1
    assert probe_causal_lm(network) is None


def counted_passes(network: Any) -> list[str]:
    """Fills with `plain` or `packed` for every pass of the network."""
    forward, passes = network.forward, []

    def counted(*args: Any, **kwargs: Any) -> Any:
        passes.append("packed" if "packed" in kwargs else "plain")
        return forward(*args, **kwargs)

    network.forward = counted
    return passes


def test_two_plain_and_two_packed_passes_show_all_of_it() -> None:
    network = tiny_models.llama_network(64).eval()
    passes = counted_passes(network)
    support = probe_causal_lm(network)
    assert support is not None
    assert support.is_causal
    assert passes == ["plain", "plain", "packed", "packed"]


def test_encoder_decoders_take_one_plain_pass_per_prompt() -> None:
    network = tiny_models.t5_network(64).eval()
    passes = counted_passes(network)
    assert probe_seq2seq_lm(network) is not None
    assert passes.count("plain") == 2


def test_scores_that_hide_what_later_tokens_change_are_no_proof_that_nothing_does() -> None:
    support = probe_causal_lm(leaks_of_later_tokens(tiny_models.llama_network(64).eval()))
    assert support is not None
    assert not support.is_causal


def test_small_logits_in_half_precision_hide_no_look_ahead() -> None:
    network = tiny_models.llama_network(64).eval()
    network.lm_head.weight.data *= 0.001
    network = network.to(torch.bfloat16)
    head = network.lm_head.forward

    def leaking(states: torch.Tensor) -> torch.Tensor:
        logits = head(states)
        return logits + 0.5 * logits[:, -1:]

    network.lm_head.forward = leaking
    support = probe_causal_lm(network)
    assert support is None or not support.is_causal


def test_a_last_layer_that_cannot_be_narrowed_is_computed_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    widen = LastLayer._widen

    def wrong(self: LastLayer, module: Any, arguments: Any, output: torch.Tensor) -> torch.Tensor:
        return widen(self, module, arguments, output) + 0.1 * (self._rows is not None)

    monkeypatch.setattr(LastLayer, "_widen", wrong)
    network = tiny_models.llama_network(64).eval()
    support = probe_causal_lm(network)
    assert support is not None
    assert support.last_layer is None
    assert not any(module._forward_hooks for module in network.modules())


def test_keys_that_the_next_pass_cannot_go_on_from_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    take = causal.take

    def wrong(tensor: torch.Tensor, spans: Any, *, copy: bool = False) -> torch.Tensor:
        return take(tensor, spans, copy=copy) + 0.1 * copy

    monkeypatch.setattr(causal, "take", wrong)
    assert probe_causal_lm(tiny_models.llama_network(64).eval()) is None
