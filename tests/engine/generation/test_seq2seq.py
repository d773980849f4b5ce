"""Texts of encoder-decoders of T5's kind: each token's logits against a plain pass over each text alone."""

from __future__ import annotations

import numpy as np
import torch

from phraseproof.engine.generation.seq2seq import Seq2SeqTextDecoder
from phraseproof.engine.generation.texts import PlannedText
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.plan.request import Request
from support import tiny_models


@torch.inference_mode()
def test_logits_are_those_of_each_text_alone() -> None:
    network = tiny_models.t5_network(64).eval()
    decoder = Seq2SeqTextDecoder(PackedSeq2SeqLM(network))
    draw = np.random.default_rng(0)
    contexts = [draw.integers(3, 64, size=size, dtype=np.int32) for size in (9, 4, 13)]
    # The same context twice, as where it is continued with several seeds: it is encoded once.
    contexts.append(contexts[0])
    planned = [PlannedText(Request(context, ()), None, 6) for context in contexts]
    written: list[list[int]] = [[] for _ in contexts]
    start = int(network.config.decoder_start_token_id)

    def check(logits: torch.Tensor, numbers: list[int]) -> None:
        for row, number in zip(logits, numbers, strict=True):
            expected = network(
                input_ids=torch.tensor(contexts[number][None].astype(np.int64)),
                decoder_input_ids=torch.tensor([[start, *written[number]]]),
            ).logits[0, -1]
            assert torch.allclose(row, expected, atol=1e-4), f"text {number}"

    def step(numbers: list[int]) -> None:
        for number in numbers:
            written[number].append(int(draw.integers(3, 64)))
        check(decoder.step([written[number][-1] for number in numbers]), numbers)

    check(decoder.start([planned[0], planned[1], planned[3]]), [0, 1, 3])
    step([0, 1, 3])
    check(decoder.start([planned[2]]), [2])
    step([0, 1, 3, 2])
    decoder.drop(1)
    step([0, 2, 3])
    assert decoder.token_bytes == 2 * network.config.num_decoder_layers * 4 * (
        network.config.num_heads * network.config.d_kv
    )
