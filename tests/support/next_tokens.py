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

    def __init__(
        self, network: Any, *, cache_tokens: int = 4096, longest: int = 64, soft: torch.Tensor | None = None
    ) -> None:
        self._network = network
        self._soft = soft
        self.virtual_tokens = 0 if soft is None else len(soft)
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
            assert 0 < self.virtual_tokens + len(text) < self.longest
            with torch.no_grad():
                embeddings = self._network.get_input_embeddings()(torch.tensor(text))
                if self._soft is not None:
                    embeddings = torch.cat([self._soft, embeddings])
                logits = self._network(inputs_embeds=embeddings[None]).logits[0, -1].float().log_softmax(-1)
            blocks = [text[:end] for end in range(BLOCK, len(text), BLOCK)]
            known = sum(block in self._read for block in blocks) * BLOCK
            self._read.update(blocks)
            computed = self.virtual_tokens + len(text) - known
            answers.append(NextTokenAnswer(tuple(float(logits[token]) for token in wanted), computed))
        return answers

    def write(self, texts: Sequence[Sequence[int]], *, max_new_tokens: int, sampling: Sampling) -> list[Written]:
        assert sampling.temperature == 0
        assert all(self.virtual_tokens + len(text) + max_new_tokens <= self.longest for text in texts)
        return [Written("written", cut=True) for _ in texts]
