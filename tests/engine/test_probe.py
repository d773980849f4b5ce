"""Networks are packed only where they give the same scores that way."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from phraseproof.engine.probe import probe_causal_lm, probe_seq2seq_lm
from support import tiny_models


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


def test_a_plain_pass_scores_all_options_whose_tokens_it_reads() -> None:
    network = tiny_models.llama_network(64).eval()
    forward, passes = network.forward, []

    def counted(*args: Any, **kwargs: Any) -> Any:
        passes.append(set(kwargs))
        return forward(*args, **kwargs)

    network.forward = counted
    assert probe_causal_lm(network) is not None
    plain = passes.count({"input_ids", "use_cache"})
    assert plain == 2, "one per context: no option reads what the longest one of its context does not"
