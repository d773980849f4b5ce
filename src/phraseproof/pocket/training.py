"""The training of the pocket models: one process on the CPU, reproducible from its seed."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.models.huggingface.quiet import quiet_transformers
from phraseproof.pocket.encoder_decoder_network import (
    EncoderDecoderSize,
    ParameterGroup,
    answer_loss,
    new_encoder_decoder,
    parameter_groups,
)
from phraseproof.pocket.lessons import (
    TALK_SHARES,
    Lesson,
    bare_lesson,
    copying_lesson,
    dictionary_lesson,
    observed_lesson,
    request_lesson,
    spoken_lesson,
    talk_lesson,
)
from phraseproof.pocket.network import DecoderSize, PocketNetwork, new_network
from phraseproof.pocket.recipe import RECIPE, Mix, Recipe, Stage
from phraseproof.pocket.talk_shares import Accuracies, measure, next_shares
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.wordings import KINDS
from phraseproof.pocket.world import END, PADDING, vocabulary

if TYPE_CHECKING:
    import torch
    from torch.optim import AdamW
    from transformers import LlamaForCausalLM


class Progress(NamedTuple):
    """The progress of a training.

    Attributes:
        step: the number of completed steps, from 1.
        steps: the total number of steps as known now. The stage of questions may extend it.
        loss: the loss of the last step, in nats.
    """

    step: int
    steps: int
    loss: float


_WARM_UP = 200  # steps
_WEIGHT_DECAY = 0.05
_UNDERSTOOD = 90.0  # percent correct under observed wordings, for each kind
_BETWEEN_MEASUREMENTS = 100  # steps between measurements while the stage of questions is extended
_BETWEEN_ADJUSTMENTS = 32  # steps between measurements in tuning


def train(
    recipe: Recipe = RECIPE, *, seed: int = 0, threads: int = 1, on_step: Callable[[Progress], None] | None = None
) -> PocketNetwork:
    """Train a model from random weights.

    The same recipe, seed and number of threads give the same weights, bit for bit, on the same machine.

    Args:
        recipe: the settings.
        seed: the seed of the weights and of the lessons.
        threads: the number of CPU threads for torch. One is best if the machine runs other processes.
        on_step: is called after each step.

    Returns:
        The network, in float32 and in evaluation mode.
    """
    import torch

    threads_before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        training = _Training(recipe, seed, on_step)
        training.run(recipe.first)
        training.run_until_understood(recipe.questions)
        training.run(recipe.talk)
        training.run_adjusted(recipe.tuning)
    finally:
        torch.set_num_threads(threads_before)
    return training.network.eval()


class _Training:
    """The state of a training: network, optimizer, random generator of the lessons, and step."""

    def __init__(self, recipe: Recipe, seed: int, on_step: Callable[[Progress], None] | None) -> None:
        import torch

        self._recipe = recipe
        self._on_step = on_step
        self._index = {word: position for position, word in enumerate(vocabulary())}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = _new(recipe.size, self._index)
        self._optimizer = _optimizer(self.network, recipe)
        self._draw = random.Random(seed)
        self._step = 0

    def run(self, stage: Stage) -> None:
        """Train for one stage."""
        self._run(stage, range(stage.steps), TALK_SHARES)

    def run_until_understood(self, stage: Stage) -> None:
        """Train for one stage, then extend it until the model understands observed wordings or patience ends."""
        self.run(stage)
        for start in range(stage.steps, round(self._recipe.patience * stage.steps), _BETWEEN_MEASUREMENTS):
            if min(self._measure().observed.values()) >= _UNDERSTOOD:
                return
            self._run(stage, range(start, start + _BETWEEN_MEASUREMENTS), TALK_SHARES)

    def run_adjusted(self, stage: Stage) -> None:
        """Train for one stage, adjust its shares of talk, and keep the weights that are nearest to the target gap."""
        target_gap = self._recipe.target_gap
        shares = {kind: stage.mix.talk / len(KINDS) for kind in KINDS}
        rest = stage.mix.talk + stage.mix.observed
        nearest, kept = math.inf, self.network.state_dict()
        for start in range(0, stage.steps, _BETWEEN_ADJUSTMENTS):
            end = min(start + _BETWEEN_ADJUSTMENTS, stage.steps)
            talk, requests = (sum(max(sign * share, 0.0) for share in shares.values()) for sign in (1, -1))
            mix = stage.mix._replace(talk=talk, requests=requests, observed=rest - talk - requests)
            self._run(stage._replace(mix=mix), range(start, end), shares)
            accuracies = self._measure()
            if end > stage.held * stage.steps and accuracies.distance(target_gap) < nearest:
                nearest, kept = accuracies.distance(target_gap), copy.deepcopy(self.network.state_dict())
            shares = next_shares(shares, accuracies, target_gap=target_gap)
        self.network.load_state_dict(kept)

    def _run(self, stage: Stage, steps: range, shares: Mapping[str, float]) -> None:
        self.network.train()
        batches = _batches(stage.mix, self._recipe.batch, shares, self._draw)
        for step, lessons in zip(steps, batches, strict=False):
            self._learn(lessons, stage.rate_at(step))

    def _measure(self) -> Accuracies:
        return measure(self.network.eval())

    def _learn(self, lessons: list[Lesson], learning_rate: float) -> None:
        import torch

        self._step += 1
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * learning_rate * min(1.0, self._step / _WARM_UP)
        loss = _loss(self.network, lessons, self._index)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        if self._on_step is not None:
            self._on_step(Progress(self._step, max(self._recipe.steps, self._step), float(loss.detach())))


def save(network: PocketNetwork, folder: Path) -> None:
    """Write the model in half precision, with its tokenizer, as an ordinary transformers folder.

    The conversion changes the network itself: it stays in half precision.
    """
    with quiet_transformers():
        network.half().save_pretrained(folder)
        new_tokenizer().save_pretrained(folder)


def _new(size: DecoderSize | EncoderDecoderSize, index: dict[str, int]) -> PocketNetwork:
    if isinstance(size, EncoderDecoderSize):
        return new_encoder_decoder(size, len(index), padding=index[PADDING], end=index[END])
    return new_network(size, len(index), padding=index[PADDING], end=index[END])


def _loss(network: PocketNetwork, lessons: list[Lesson], index: dict[str, int]) -> torch.Tensor:
    from transformers import T5ForConditionalGeneration

    if isinstance(network, T5ForConditionalGeneration):
        # The encoder reads the words before the first target. In the lessons of its recipe, all further words are
        # targets.
        words = [([index[word] for word in lesson.words], lesson.learned[0]) for lesson in lessons]
        return answer_loss(network, [ids[:first] for ids, first in words], [ids[first:] for ids, first in words])
    return _decoder_loss(network, lessons, index)


def _decoder_loss(network: LlamaForCausalLM, lessons: list[Lesson], index: dict[str, int]) -> torch.Tensor:
    """Mean over lessons of the mean cross-entropy of each lesson's targets, in nats. A scalar tensor."""
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
    # Padding is on the right, where causal attention does not see it. No mask is needed.
    hidden = network.model(input_ids=ids).last_hidden_state[torch.tensor(rows), at - 1]
    losses = cross_entropy(network.lm_head(hidden), ids[torch.tensor(rows), at], reduction="none")
    return (losses * torch.tensor(weights)).sum() / len(lessons)


def _batches(mix: Mix, batch: int, shares: Mapping[str, float], draw: random.Random) -> Iterator[list[Lesson]]:
    """Yield batches without end. Four are drawn together and divided by length, which avoids a third of the padding."""
    while True:
        lessons = [_lesson(mix, shares, draw) for _ in range(4 * batch)]
        drawn = sorted(lessons, key=lambda lesson: len(lesson.words))
        pool = [drawn[start : start + batch] for start in range(0, len(drawn), batch)]
        draw.shuffle(pool)
        yield from pool


_MAKERS = {
    "dictionary": dictionary_lesson,
    "bare": bare_lesson,
    "spoken": spoken_lesson,
    "observed": observed_lesson,
}


def _lesson(mix: Mix, shares: Mapping[str, float], draw: random.Random) -> Lesson:
    """Draw a lesson. The kinds of talk and requests follow from the shares (`talk_shares.next_shares`)."""
    sort = draw.choices(Mix._fields, mix)[0]
    if sort == "copying":
        return copying_lesson(draw, dense=mix.spoken == 0 or draw.random() < 0.5)
    if sort == "talk":
        return talk_lesson(draw, {kind: max(share, 0.0) for kind, share in shares.items()})
    if sort == "requests":
        return request_lesson(draw, {kind: max(-share, 0.0) for kind, share in shares.items()})
    return _MAKERS[sort](draw)


def _optimizer(network: PocketNetwork, recipe: Recipe) -> AdamW:
    from torch.optim import AdamW
    from transformers import T5ForConditionalGeneration

    groups: list[ParameterGroup]
    if isinstance(network, T5ForConditionalGeneration):
        groups = parameter_groups(network, weight_decay=_WEIGHT_DECAY)
    else:
        matrices = [weight for weight in network.parameters() if weight.dim() == 2]
        vectors = [weight for weight in network.parameters() if weight.dim() < 2]
        groups = [
            {"params": matrices, "weight_decay": _WEIGHT_DECAY, "rate": 1.0},
            {"params": vectors, "weight_decay": 0.0, "rate": 1.0},
        ]
    return AdamW([dict(group) for group in groups], lr=recipe.first.learning_rate, betas=(0.9, 0.98), fused=True)
