"""Control of the sensitivity of a pocket model during tuning, from its accuracy under validation wordings.

A question without a named speaker is either talk, which the model must not answer, or a request, which it must answer.
The more talk the tuning data contains, the more unobserved wordings the model treats as talk. With a fixed share of
talk, sensitivity appears abruptly, at a different share for every seed, and much earlier for lettered questions than
for labels. Therefore the share is adjusted for each kind, from the gap between observed and validation wordings.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.pocket.lexicon import ABOUT as ATTRIBUTE_WORDS
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.network import PocketNetwork
from phraseproof.pocket.wordings import ABOUT, KINDS, slot, wordings
from phraseproof.pocket.world import ask, laid_out, options_of, vocabulary

if TYPE_CHECKING:
    import torch

_CHANGE = 0.015
"""The change of a kind's share if the gap is 0 (up) or twice the target (down). A share of all lessons."""

_LEAST, _MOST = -0.08, 0.16
_OBSERVED_FIRST = 97.5  # percent under observed wordings; below it, the kind's share falls whatever its gap is
_ROWS = 64  # questions per forward pass
_SEED = 4242  # another than publish.SEED, so that these are not the questions that are scored


class Item(NamedTuple):
    """A question with an answer of one word.

    Attributes:
        prompt: its words, as indices of the vocabulary.
        options: the possible answers, as indices of the vocabulary.
        target: the index of the correct answer in `options`.
    """

    prompt: list[int]
    options: list[int]
    target: int


class Accuracies(NamedTuple):
    """The accuracy of a model for each kind, at one step of the training.

    Attributes:
        observed, validation: percent correct under observed and under validation wordings.
    """

    observed: Mapping[str, float]
    validation: Mapping[str, float]

    def gap(self, kind: str) -> float:
        """Accuracy under observed minus validation wordings, in points."""
        return self.observed[kind] - self.validation[kind]

    def distance(self, target_gap: float) -> float:
        """The distance from the intended state, in points.

        The intended state is 100% under observed wordings and the target gap, for every kind. The distance is the
        Euclidean norm of all deviations from it.
        """
        squares = ((self.gap(kind) - target_gap) ** 2 + (100 - self.observed[kind]) ** 2 for kind in self.observed)
        return sum(squares) ** 0.5


def measure(network: PocketNetwork) -> Accuracies:
    """Measure a model with one new question per observed and validation wording and attribute."""
    return Accuracies(*(accuracy(network, questions(name, 1)) for name in ("observed", "validation")))


def next_shares(shares: Mapping[str, float], accuracies: Accuracies, *, target_gap: float) -> dict[str, float]:
    """The next share of talk for each kind.

    Args:
        shares: the present share of each kind's talk in all lessons. A negative share means that much of requests.
        accuracies: the accuracy after training with these shares.
        target_gap: the target gap between observed and validation wordings, in points.
    """
    found: dict[str, float] = {}
    for kind, share in shares.items():
        short = (target_gap - accuracies.gap(kind)) / target_gap
        if accuracies.observed[kind] < _OBSERVED_FIRST:
            short = min(short, -0.5)
        found[kind] = min(max(share + _CHANGE * max(short, -2.0), _LEAST), _MOST)
    return found


@functools.cache
def questions(name: str, per_wording: int) -> dict[str, list[Item]]:
    """New questions in every wording of a set, for every attribute. The same arguments give the same questions.

    Args:
        name: a set of wordings, one of `wordings.SETS`.
        per_wording: the number of questions per wording and attribute.

    Returns:
        The questions of each kind.
    """
    index = {word: position for position, word in enumerate(vocabulary())}
    draw = random.Random(f"{_SEED} {name}")
    made: dict[str, list[Item]] = {kind: [] for kind in KINDS}
    for kind, some in wordings(name).items():
        for wording in some:
            for attribute in ATTRIBUTES:
                known = ATTRIBUTE_WORDS[attribute]
                about = (*known.observed, *known.rare)[wording.name]
                said = [about if slot(word) == ABOUT else word for word in wording.words]
                for _ in range(per_wording):
                    question = ask(kind, attribute, draw)
                    prompt = [index[word] for word in said + laid_out(kind, question)]
                    options = [index[word] for word in options_of(kind, question)]
                    made[kind].append(Item(prompt, options, question.target))
    return made


def accuracy(network: PocketNetwork, asked: Mapping[str, Sequence[Item]]) -> dict[str, float]:
    """The percentage of each kind's questions whose correct option has the highest probability of its options."""
    return {kind: 100 * sum(_answers(network, items)) / len(items) for kind, items in asked.items()}


def _answers(network: PocketNetwork, items: Sequence[Item]) -> list[bool]:
    import torch

    right: list[bool] = []
    by_length = sorted(items, key=lambda item: len(item.prompt))
    with torch.no_grad():
        for start in range(0, len(by_length), _ROWS):
            rows = by_length[start : start + _ROWS]
            logits = _next_word(network, [row.prompt for row in rows])
            right += [int(scores[row.options].argmax()) == row.target for row, scores in zip(rows, logits, strict=True)]
    return right


def _next_word(network: PocketNetwork, prompts: Sequence[list[int]]) -> torch.Tensor:
    """Logits of the first word after each prompt, of shape (prompts, vocabulary)."""
    import torch
    from transformers import T5ForConditionalGeneration

    padding = network.config.pad_token_id
    assert padding is not None, "new networks have a padding token"
    ids = torch.full((len(prompts), max(map(len, prompts))), padding)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    if isinstance(network, T5ForConditionalGeneration):
        start = torch.full((len(prompts), 1), network.config.decoder_start_token_id)
        return network(input_ids=ids, attention_mask=(ids != padding).long(), decoder_input_ids=start).logits[:, 0]
    # Padding is on the right, where causal attention does not see it. No mask is needed.
    last = torch.tensor([len(prompt) - 1 for prompt in prompts])
    return network.lm_head(network.model(input_ids=ids).last_hidden_state[torch.arange(len(prompts)), last])
