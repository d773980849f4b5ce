"""Engines that answer questions about next tokens, for tests of what asks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from phraseproof.core import Sampling
from phraseproof.models.vllm.engine import Written
from phraseproof.models.vllm.option_questions import NextTokenAnswer, NextTokenQuestion

BLOCK = 4


class PlainEngine:
    """Plain passes of a transformers network, with a prefix cache in blocks that is counted and not used."""

    def __init__(self, network: Any, *, cache_tokens: int = 4096, longest: int = 64) -> None:
        self._network = network
        self.cache_tokens = cache_tokens
        self.longest = longest
        self.vocabulary_size = int(network.get_input_embeddings().weight.shape[0])
        self.version = "0"
        self.calls: list[list[NextTokenQuestion]] = []
        self._read: set[tuple[int, ...]] = set()

    def ask(self, questions: Sequence[NextTokenQuestion]) -> list[NextTokenAnswer]:
        self.calls.append(list(questions))
        answers: list[NextTokenAnswer] = []
        for text, wanted in questions:
            assert 0 < len(text) < self.longest
            with torch.no_grad():
                logits = self._network(torch.tensor([text])).logits[0, -1].float().log_softmax(-1)
            blocks = [text[:end] for end in range(BLOCK, len(text), BLOCK)]
            known = sum(block in self._read for block in blocks) * BLOCK
            self._read.update(blocks)
            answers.append(NextTokenAnswer(tuple(float(logits[token]) for token in wanted), len(text) - known))
        return answers

    def write(self, texts: Sequence[Sequence[int]], *, max_new_tokens: int, sampling: Sampling) -> list[Written]:
        assert sampling.temperature == 0
        assert all(len(text) + max_new_tokens <= self.longest for text in texts)
        return [Written("written", cut=True) for _ in texts]
