"""Both families' decoders offer what writing needs, before anything is read."""

from __future__ import annotations

from phraseproof.engine.generation.causal import CausalTextDecoder
from phraseproof.engine.generation.seq2seq import Seq2SeqTextDecoder
from phraseproof.engine.generation.texts import TextDecoder
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from support import tiny_models


def test_both_families_offer_what_writing_needs() -> None:
    decoders: list[TextDecoder] = [
        CausalTextDecoder(tiny_models.llama_network(64)),
        Seq2SeqTextDecoder(PackedSeq2SeqLM(tiny_models.t5_network(64))),
    ]
    assert [each.shares_beginnings for each in decoders] == [True, False]
    assert [(each.lead_tokens, each.token_bytes) for each in decoders] == [(0, 0)] * 2
