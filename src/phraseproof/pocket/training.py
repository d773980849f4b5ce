"""The recipe: from nothing to a model that follows the observed wordings, in one process, the same for a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.pocket.encoder_decoder_network import (
    EncoderDecoderSize,
    answer_loss,
    new_encoder_decoder,
    parameter_groups,
)
from phraseproof.pocket.lessons import (
    Lesson,
    bare_lesson,
    copying_lesson,
    dictionary_lesson,
    observed_lesson,
    spoken_lesson,
    talk_lesson,
)
from phraseproof.pocket.network import SIZES, Size, new_network
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.world import END, PADDING, vocabulary


class Mix(NamedTuple):
    """How often a lesson is of each sort; the shares add up to 1."""

    copying: float
    dictionary: float
    bare: float
    spoken: float
    talk: float
    observed: float


class Stage(NamedTuple):
    """A part of the training.

    Attributes:
        steps: how long it is.
        mix: what its lessons are.
        learning_rate, last_learning_rate: of AdamW, at its start and its end, with half a cosine between them.
    """

    steps: int
    mix: Mix
    learning_rate: float
    last_learning_rate: float


class Recipe(NamedTuple):
    """All there is to choose.

    Attributes:
        size: the model's shape, which says of which family it is.
        copying: what comes before everything else: for a decoder nothing but exercises in copying.
        questions: questions in all words, from speakers, and in observed wordings.
        talk: questions from speakers, and the same said by nobody in particular, which is not answered.
        tuning: observed wordings above all.
        batch: lessons a step.
    """

    size: Size | EncoderDecoderSize = SIZES["small"]
    copying: Stage = Stage(600, Mix(0.65, dictionary=0.2, bare=0.15, spoken=0, talk=0, observed=0), 2e-3, 2e-3)
    questions: Stage = Stage(1200, Mix(0.1, dictionary=0.05, bare=0.15, spoken=0.4, talk=0, observed=0.3), 2e-3, 2e-3)
    talk: Stage = Stage(500, Mix(0.1, dictionary=0, bare=0, spoken=0.5, talk=0.4, observed=0), 2e-3, 1e-3)
    tuning: Stage = Stage(700, Mix(0.05, dictionary=0, bare=0, spoken=0.2, talk=0.13, observed=0.62), 1e-3, 2e-5)
    batch: int = 32

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return self.copying, self.questions, self.talk, self.tuning

    @property
    def steps(self) -> int:
        """Steps altogether."""
        return sum(stage.steps for stage in self.stages)

    def shortened(self, steps: int) -> Recipe:
        """The same with so many steps altogether, each stage its share of them."""
        share = steps / self.steps
        copying, questions, talk, _ = (stage._replace(steps=round(share * stage.steps)) for stage in self.stages)
        rest = steps - copying.steps - questions.steps - talk.steps
        return self._replace(copying=copying, questions=questions, talk=talk, tuning=self.tuning._replace(steps=rest))

    def at(self, step: int) -> tuple[Stage, float]:
        """The stage that a step (from 0) is in, and how far into it, from 0 to 1."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step / stage.steps
            step -= stage.steps
        return self.tuning, 1.0


_WARM_UP = 200  # steps
_WEIGHT_DECAY = 0.05

RECIPE = Recipe()
"""The recipe of the shipped decoder."""

_NOTHING = Mix(copying=0, dictionary=0, bare=0, spoken=0, talk=0, observed=0)

ENCODER_DECODER_RECIPE = Recipe(
    size=EncoderDecoderSize(width=128, encoder_layers=3, decoder_layers=2, heads=4, feed_forward=256),
    # It needs no exercises: its start can copy. Broad speech from the first step leaves it at chance.
    copying=Stage(400, _NOTHING._replace(observed=1), 2e-3, 2e-3),
    questions=Stage(700, _NOTHING._replace(bare=0.3, spoken=0.4, observed=0.3), 2e-3, 1e-3),
    talk=Stage(600, _NOTHING._replace(spoken=0.5, talk=0.5), 1e-3, 1e-3),
    tuning=Stage(700, _NOTHING._replace(spoken=0.15, talk=0.02, observed=0.83), 1e-3, 2e-5),
)
"""The recipe of its encoder-decoder sibling."""

RECIPES = {name: RECIPE._replace(size=size) for name, size in SIZES.items()} | {"small-t5": ENCODER_DECODER_RECIPE}
"""A recipe for every name of a pocket model."""


def train(
    recipe: Recipe = RECIPE, *, seed: int = 0, threads: int = 1, on_step: Callable[[int, float], None] | None = None
) -> Any:
    """Train a model; returns the network, in evaluation mode.

    The same recipe, seed and number of threads give the same weights, bit for bit, on the same machine.

    Args:
        recipe: sizes, lengths, shares.
        seed: of the weights and the lessons.
        threads: of torch, on the CPU. One is best on a machine that does other things.
        on_step: called after each step with its number from 1 and its loss in nats.
    """
    import torch

    index = {word: position for position, word in enumerate(vocabulary())}
    threads_before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _new(recipe.size, index)
        optimizer = _optimizer(network, recipe)
        network.train()
        for step, lessons in enumerate(_batches(recipe, random.Random(seed)), start=1):
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * _learning_rate(step - 1, recipe)
            loss = _loss(network, lessons, index)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            if on_step is not None:
                on_step(step, float(loss.detach()))
    finally:
        torch.set_num_threads(threads_before)
    return network.eval()


def save(network: Any, folder: Path) -> None:
    """Write the model in half precision, and its tokenizer, as an ordinary transformers folder.

    The network is left in half precision.
    """
    network.half().save_pretrained(folder)
    new_tokenizer().save_pretrained(folder)


def _new(size: Size | EncoderDecoderSize, index: dict[str, int]) -> Any:
    if isinstance(size, EncoderDecoderSize):
        return new_encoder_decoder(size, len(index), padding=index[PADDING], end=index[END])
    return new_network(size, len(index), padding=index[PADDING], end=index[END])


def _loss(network: Any, lessons: list[Lesson], index: dict[str, int]) -> Any:
    if network.config.is_encoder_decoder:
        # The encoder reads up to the first word that is learned; of the lessons of its recipe, the rest is the answer.
        words = [([index[word] for word in lesson.words], lesson.learned[0]) for lesson in lessons]
        return answer_loss(network, [ids[:first] for ids, first in words], [ids[first:] for ids, first in words])
    return _decoder_loss(network, lessons, index)


def _decoder_loss(network: Any, lessons: list[Lesson], index: dict[str, int]) -> Any:
    """Mean over lessons of the mean cross-entropy of what each asks to be learned; padding stands at the end."""
    import torch
    from torch.nn.functional import cross_entropy

    ids = torch.full((len(lessons), max(len(lesson.words) for lesson in lessons)), index[PADDING])
    rows: list[int] = []
    positions: list[int] = []
    weights: list[float] = []
    for row, lesson in enumerate(lessons):
        ids[row, : len(lesson.words)] = torch.tensor([index[word] for word in lesson.words])
        rows += [row] * len(lesson.learned)
        positions += lesson.learned
        weights += [1 / len(lesson.learned)] * len(lesson.learned)
    at = torch.tensor(positions)
    # Padding follows every lesson, so causal attention never sees it and no mask is needed.
    hidden = network.model(input_ids=ids).last_hidden_state[torch.tensor(rows), at - 1]
    losses = cross_entropy(network.lm_head(hidden), ids[torch.tensor(rows), at], reduction="none")
    return (losses * torch.tensor(weights)).sum() / len(lessons)


def _batches(recipe: Recipe, draw: random.Random) -> Iterator[list[Lesson]]:
    """One batch a step. Four are drawn together and parted by length, which spares a third of the padding."""
    pool: list[list[Lesson]] = []
    for step in range(recipe.steps):
        if not pool:
            lessons = [_lesson(step, recipe, draw) for _ in range(4 * recipe.batch)]
            drawn = sorted(lessons, key=lambda lesson: len(lesson.words))
            pool = [drawn[start : start + recipe.batch] for start in range(0, len(drawn), recipe.batch)]
            draw.shuffle(pool)
        yield pool.pop()


_MAKERS = {
    "dictionary": dictionary_lesson,
    "bare": bare_lesson,
    "spoken": spoken_lesson,
    "talk": talk_lesson,
    "observed": observed_lesson,
}


def _lesson(step: int, recipe: Recipe, draw: random.Random) -> Lesson:
    mix = recipe.at(step)[0].mix
    sort = draw.choices(Mix._fields, mix)[0]
    if sort == "copying":
        return copying_lesson(draw, dense=mix.spoken == 0 or draw.random() < 0.5)
    return _MAKERS[sort](draw)


def _learning_rate(step: int, recipe: Recipe) -> float:
    stage, done = recipe.at(step)
    falling = 0.5 * (1 + math.cos(math.pi * done))
    rate = stage.last_learning_rate + (stage.learning_rate - stage.last_learning_rate) * falling
    return rate * min(1.0, (step + 1) / _WARM_UP)


def _optimizer(network: Any, recipe: Recipe) -> Any:
    from torch.optim import AdamW

    if network.config.is_encoder_decoder:
        groups = parameter_groups(network, weight_decay=_WEIGHT_DECAY)
    else:
        matrices = [weight for weight in network.parameters() if weight.dim() == 2]
        vectors = [weight for weight in network.parameters() if weight.dim() < 2]
        groups = [
            {"params": matrices, "weight_decay": _WEIGHT_DECAY, "rate": 1.0},
            {"params": vectors, "weight_decay": 0.0, "rate": 1.0},
        ]
    return AdamW(groups, lr=recipe.copying.learning_rate, betas=(0.9, 0.98), fused=True)
