"""The control of how sensitive a pocket model becomes: its loss on other wordings is measured during tuning.

A question without a named speaker is either talk, which is not answered, or a request, which is. The more talk the
tuning data contains, the more unfamiliar wordings the model treats as talk. With a fixed share of talk, sensitivity
appears abruptly, at another share for every seed, and much sooner for lettered questions than for labels. So the shares
are adjusted per kind, from the loss measured on validation wordings.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.pocket.lexicon import ABOUT as ATTRIBUTE_WORDS
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.wordings import ABOUT, KINDS, slot, wordings
from phraseproof.pocket.world import ask, laid_out, options_of, vocabulary

_STRIDE = 0.015
"""The step of a kind's dose, as a share of all lessons: up if nothing is lost, down if twice the aim is lost."""

_LEAST, _MOST = -0.08, 0.16
_OBSERVED_FIRST = 97.5  # percent: a kind that is below it with observed wordings is dosed less, whatever it loses
_ROWS = 64  # questions a pass
_SEED = 4242  # of the questions, which are none of those that are scored


class Item(NamedTuple):
    """A question whose answer is one word.

    Attributes:
        prompt: its words as indices of the vocabulary.
        options: the words that it may be answered with, likewise.
        target: the place of the right one among them.
    """

    prompt: list[int]
    options: list[int]
    target: int


class Reading(NamedTuple):
    """A model's present accuracy per kind.

    Attributes:
        observed, validation: percent correct under observed and under validation wordings.
    """

    observed: Mapping[str, float]
    validation: Mapping[str, float]

    def lost(self, kind: str) -> float:
        """Points lost from observed to validation wordings."""
        return self.observed[kind] - self.validation[kind]

    def distance(self, aim: float) -> float:
        """How far losses are from the aim, and observed wordings from right: a root of summed squares, in points."""
        return sum((self.lost(kind) - aim) ** 2 + (100 - self.observed[kind]) ** 2 for kind in self.observed) ** 0.5


def read(network: Any) -> Reading:
    """Ask one fresh question in every observed and every validation wording, of every attribute."""
    return Reading(*(accuracy(network, questions(name, 1)) for name in ("observed", "validation")))


def next_doses(doses: Mapping[str, float], reading: Reading, *, aim: float) -> dict[str, float]:
    """The next share of talk for each kind.

    Args:
        doses: the present shares of all lessons that are talk of each kind; a negative share is one of requests.
        reading: the accuracy that was measured with them.
        aim: the intended loss on validation wordings, in points.
    """
    found: dict[str, float] = {}
    for kind, dose in doses.items():
        short = (aim - reading.lost(kind)) / aim
        if reading.observed[kind] < _OBSERVED_FIRST:
            short = min(short, -0.5)
        found[kind] = min(max(dose + _STRIDE * max(short, -2.0), _LEAST), _MOST)
    return found


@functools.cache
def questions(name: str, per_wording: int) -> dict[str, list[Item]]:
    """Fresh questions in every wording of a set, for every attribute; the same every time.

    Args:
        name: a set of wordings (one of `wordings.SETS`).
        per_wording: questions for each wording and attribute.

    Returns:
        Each kind's questions.
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


def accuracy(network: Any, asked: Mapping[str, Sequence[Item]]) -> dict[str, float]:
    """The percentage of each kind's questions whose right option is the likeliest of its options."""
    return {kind: 100 * sum(_answers(network, items)) / len(items) for kind, items in asked.items()}


def _answers(network: Any, items: Sequence[Item]) -> list[bool]:
    import torch

    right: list[bool] = []
    by_length = sorted(items, key=lambda item: len(item.prompt))
    with torch.no_grad():
        for start in range(0, len(by_length), _ROWS):
            rows = by_length[start : start + _ROWS]
            logits = _next_word(network, [row.prompt for row in rows])
            right += [int(scores[row.options].argmax()) == row.target for row, scores in zip(rows, logits, strict=True)]
    return right


def _next_word(network: Any, prompts: Sequence[list[int]]) -> Any:
    """Logits of the first word after each prompt, of shape (prompts, vocabulary)."""
    import torch

    padding = network.config.pad_token_id
    ids = torch.full((len(prompts), max(map(len, prompts))), padding)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    if network.config.is_encoder_decoder:
        start = torch.full((len(prompts), 1), network.config.decoder_start_token_id)
        return network(input_ids=ids, attention_mask=(ids != padding).long(), decoder_input_ids=start).logits[:, 0]
    # Padding follows every prompt, so causal attention never sees it and no mask is needed.
    last = torch.tensor([len(prompt) - 1 for prompt in prompts])
    return network.lm_head(network.model(input_ids=ids).last_hidden_state[torch.arange(len(prompts)), last])
