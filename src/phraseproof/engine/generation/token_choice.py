"""Chooses the next token of every text from logits, the same whatever other texts there are.

The token with the highest score is taken. Greedy scores are logits after the model's own processors. Where tokens are
drawn, each score gets Gumbel noise, and the highest sum is a draw from the softmax of the scores (Gumbel-max trick,
Maddison et al., arXiv 1411.0030): so a draw is a choice as well, and rounding can be measured by the lead of the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from transformers import LogitsProcessor

from phraseproof.errors import ModelError

Processors = Callable[..., torch.Tensor]
"""A list of transformers' processors: from tokens [texts, tokens] and scores [texts, vocabulary] to other scores."""

ROUNDING = 1e-5
"""By how much of the highest logit rounding in float32 may change a lead. On SmolLM2, logits of equal tokens computed
in a batch and alone differed by at most 7e-5, the highest being up to 40."""

_SMALL_LOGIT = 10.0
"""Where logits are smaller, rounding inside the network is still that of numbers of this size."""


class Noise:
    """Random numbers for the draws of some texts; those of a text depend on its seed and the token's place alone.

    Args:
        seeds: one per text, non-negative.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = list(seeds)

    def of(self, text: int, place: int, tokens: int) -> torch.Tensor:
        """Gumbel noise for every token of the vocabulary, [tokens], float32.

        Args:
            text: the number of the text.
            place: how many tokens were written before.
        """
        # Philox is a counter: the numbers of a place do not depend on how many were drawn before.
        uniform = np.random.Generator(np.random.Philox(key=self._seeds[text], counter=place << 64)).random(tokens)
        with np.errstate(divide="ignore"):
            return torch.from_numpy(-np.log(-np.log(uniform))).float()


class RoundingTies(NamedTuple):
    """Which choices rounding might have made.

    Attributes:
        temperature: what logits were divided by; their rounding is divided, too.
    """

    temperature: float = 1.0

    def among(self, best: torch.Tensor) -> torch.Tensor:
        """Whether each row is a near-tie, [rows], by its highest scores, [rows, 2]."""
        size = best[:, 0].abs().clamp(min=_SMALL_LOGIT / self.temperature)
        # Not `<=`: where no token has a finite score, the lead is NaN.
        return ~(best[:, 0] - best[:, -1] > ROUNDING * size)


class Choice(NamedTuple):
    """A chosen token, and whether its lead over the next one is so small that rounding might have made it."""

    token: int
    is_near_tie: bool


class TextProcessors(NamedTuple):
    """What transformers applies to the logits of one text before a token is chosen.

    Attributes:
        processors: in order.
        given: the tokens that they see before the written ones, [1, tokens].
    """

    processors: Processors
    given: torch.Tensor


class TokenChooser:
    """Chooses tokens.

    Args:
        together: processors that treat each row alone and do not read tokens, applied to all rows at once.
        apart: the processors of a text by its number, where they read its tokens; replaces `together`.
        noise: for draws; `None` takes the highest score.
        ties: marks near-ties; `None` marks none.
    """

    def __init__(
        self,
        together: Processors,
        apart: Callable[[int], TextProcessors] | None = None,
        noise: Noise | None = None,
        ties: RoundingTies | None = None,
    ) -> None:
        self._together, self._apart, self._noise, self._ties = together, apart, noise, ties
        self._prepared: dict[int, TextProcessors] = {}

    def choose(self, texts: Sequence[int], written: Sequence[Sequence[int]], logits: torch.Tensor) -> list[Choice]:
        """The next token of each text.

        Args:
            texts: the numbers of the texts.
            written: the tokens of each so far.
            logits: [texts, vocabulary].

        Raises:
            ModelError: logits that are not numbers.
        """
        scores = self._scores(texts, written, logits.float())
        best, tokens = scores.topk(min(2, scores.shape[1]), dim=-1)
        if bool(best[:, 0].isnan().any()):
            raise ModelError("the model's logits are not numbers", hint="Try --dtype float32 or bfloat16")
        ties = torch.zeros(len(texts), dtype=torch.bool) if self._ties is None else self._ties.among(best)
        pairs = zip(tokens[:, 0].tolist(), ties.tolist(), strict=True)
        return [Choice(token, is_near_tie) for token, is_near_tie in pairs]

    def forget(self, text: int) -> None:
        """Free what is kept of a complete text."""
        self._prepared.pop(text, None)

    def _scores(self, texts: Sequence[int], written: Sequence[Sequence[int]], logits: torch.Tensor) -> torch.Tensor:
        if self._apart is None:
            scores = self._together(logits.new_empty(len(texts), 0, dtype=torch.long), logits)
        else:
            rows: list[torch.Tensor] = []
            for row, (text, tokens) in enumerate(zip(texts, written, strict=True)):
                if text not in self._prepared:
                    self._prepared[text] = self._apart(text)
                processors, given = self._prepared[text]
                read = torch.cat([given, given.new_tensor([list(tokens)]).view(1, -1)], dim=1)
                rows.append(processors(read, logits[row : row + 1]))
            scores = torch.cat(rows)
        if self._noise is None:
            return scores
        size = int(scores.shape[1])
        noise = [self._noise.of(text, len(tokens), size) for text, tokens in zip(texts, written, strict=True)]
        return scores + torch.stack(noise).to(scores.device)


class NoisyScores(LogitsProcessor):
    """The last processor of transformers' own `generate`: adds a text's noise, and notes near-ties.

    Args:
        rows: how many texts there are.
        noise, ties: as for `TokenChooser`.

    Attributes:
        given: how many tokens come before the written ones.
        near_ties: by row, the number of tokens before the first near-tie.
    """

    def __init__(self, rows: int, noise: Noise | None, ties: RoundingTies | None) -> None:
        self._rows, self._noise, self._ties = rows, noise, ties
        self.given = 0
        self.near_ties: dict[int, int] = {}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - transformers has its own names for tensors
        """Scores with noise, [rows, vocabulary]."""
        place, size = int(input_ids.shape[1]) - self.given, int(scores.shape[1])
        if self._noise is not None:
            noise = torch.stack([self._noise.of(text, place, size) for text in range(self._rows)])
            scores = scores + noise.to(scores.device)
        if self._ties is not None:
            best = scores.topk(min(2, size), dim=-1).values
            for row, is_tie in enumerate(self._ties.among(best).tolist()):
                if is_tie:
                    self.near_ties.setdefault(row, place)
        return scores
