"""The training of the pocket models: one process on the CPU, reproducible from its seed."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.models.huggingface.quiet import quiet_transformers
from phraseproof.pocket.dosage import Reading, next_doses, read
from phraseproof.pocket.encoder_decoder_network import (
    EncoderDecoderSize,
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
from phraseproof.pocket.network import SIZES, Size, new_network
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.wordings import KINDS
from phraseproof.pocket.world import END, PADDING, vocabulary


class Mix(NamedTuple):
    """The share of each sort of lesson (`lessons.py`). The shares add up to 1."""

    copying: float
    dictionary: float
    bare: float
    spoken: float
    talk: float
    observed: float
    requests: float = 0.0


class Stage(NamedTuple):
    """A stage of the training.

    Attributes:
        steps: its length.
        mix: its lessons.
        learning_rate, last_learning_rate: of AdamW, at the start and at the end, with half a cosine between them.
        held: the share of the stage in which the learning rate stays constant, at the start.
    """

    steps: int
    mix: Mix
    learning_rate: float
    last_learning_rate: float
    held: float = 0.0

    def slower(self, factor: float) -> Stage:
        """The same stage with its learning rates multiplied by a factor."""
        return self._replace(
            learning_rate=factor * self.learning_rate, last_learning_rate=factor * self.last_learning_rate
        )

    def rate_at(self, step: int) -> float:
        """The learning rate at a step of the stage, from 0. After the stage's end it is the last learning rate."""
        done = (step / self.steps - self.held) / (1 - self.held)
        falling = 0.5 * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0)))
        return self.last_learning_rate + (self.learning_rate - self.last_learning_rate) * falling


class Recipe(NamedTuple):
    """All settings of a training.

    Attributes:
        size: the size of the model. Its type decides between decoder and encoder-decoder.
        first: the first stage. For a decoder, exercises only, mostly in copying.
        questions: questions from speakers, in all words, and in observed wordings. The stage continues at its last
            learning rate until the model understands observed wordings.
        talk: questions from speakers, which are answered, and talk, which is not.
        tuning: mostly observed wordings. Its mix has the initial share of talk. Then the share of each kind follows
            from the accuracy under validation wordings (`dosage.py`), and observed wordings take the rest. Of the
            weights measured while the learning rate falls, those nearest to the target are kept.
        loss: the target gap of every kind between observed and validation wordings, in points.
        batch: the number of lessons per step.
        patience: the maximum length of the stage of questions, as a multiple of its steps.
    """

    size: Size | EncoderDecoderSize = SIZES["small"]
    first: Stage = Stage(600, Mix(0.65, dictionary=0.2, bare=0.15, spoken=0, talk=0, observed=0), 2e-3, 2e-3)
    questions: Stage = Stage(1200, Mix(0.1, dictionary=0.05, bare=0.15, spoken=0.4, talk=0, observed=0.3), 2e-3, 2e-3)
    talk: Stage = Stage(500, Mix(0.1, dictionary=0, bare=0, spoken=0.5, talk=0.4, observed=0), 2e-3, 1e-3)
    tuning: Stage = Stage(
        900, Mix(0.05, dictionary=0, bare=0, spoken=0.2, talk=0.06, observed=0.69), 1e-3, 5e-5, held=0.4
    )
    loss: float = 9.5
    batch: int = 32
    patience: float = 3.0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return self.first, self.questions, self.talk, self.tuning

    @property
    def steps(self) -> int:
        """The total number of steps if the stage of questions needs no extension."""
        return sum(stage.steps for stage in self.stages)

    def shortened(self, steps: int) -> Recipe:
        """The same recipe with another total number of steps, in the same proportions."""
        share = steps / self.steps
        first, questions, talk, _ = (stage._replace(steps=round(share * stage.steps)) for stage in self.stages)
        rest = steps - first.steps - questions.steps - talk.steps
        return self._replace(first=first, questions=questions, talk=talk, tuning=self.tuning._replace(steps=rest))


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
_BETWEEN_LOOKS = 100  # steps between measurements while the stage of questions is extended
_BETWEEN_DOSES = 32  # steps between measurements in tuning

RECIPE = Recipe()
"""The recipe of the shipped decoders."""

_NOTHING = Mix(copying=0, dictionary=0, bare=0, spoken=0, talk=0, observed=0)

ENCODER_DECODER_RECIPE = Recipe(
    size=EncoderDecoderSize(width=128, encoder_layers=3, decoder_layers=2, heads=4, feed_forward=256),
    # It needs no exercises, because its initialisation can copy. With speech from the first step it stays at chance.
    first=Stage(400, _NOTHING._replace(observed=1), 2e-3, 2e-3),
    questions=Stage(700, _NOTHING._replace(bare=0.3, spoken=0.4, observed=0.3), 2e-3, 1e-3),
    talk=Stage(600, _NOTHING._replace(spoken=0.5, talk=0.5), 1e-3, 1e-3),
    tuning=Stage(900, _NOTHING._replace(spoken=0.15, talk=0.06, observed=0.79), 1e-3, 5e-5, held=0.4),
)
"""The recipe of the shipped encoder-decoder."""

RECIPES = {name: RECIPE._replace(size=size) for name, size in SIZES.items()} | {
    # At the learning rate of the others it stays at chance on labels.
    "medium": RECIPE._replace(
        size=SIZES["medium"], first=RECIPE.first.slower(0.5), questions=RECIPE.questions.slower(0.5)
    ),
    "small-t5": ENCODER_DECODER_RECIPE,
}
"""The recipe of each shipped model."""


def train(
    recipe: Recipe = RECIPE, *, seed: int = 0, threads: int = 1, on_step: Callable[[Progress], None] | None = None
) -> Any:
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
        training.run_dosed(recipe.tuning)
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
        for start in range(stage.steps, round(self._recipe.patience * stage.steps), _BETWEEN_LOOKS):
            if min(self._read().observed.values()) >= _UNDERSTOOD:
                return
            self._run(stage, range(start, start + _BETWEEN_LOOKS), TALK_SHARES)

    def run_dosed(self, stage: Stage) -> None:
        """Train for one stage, adjust its shares of talk, and keep the weights that are nearest to the target gap."""
        aim = self._recipe.loss
        doses = {kind: stage.mix.talk / len(KINDS) for kind in KINDS}
        rest = stage.mix.talk + stage.mix.observed
        nearest, kept = math.inf, self.network.state_dict()
        for start in range(0, stage.steps, _BETWEEN_DOSES):
            end = min(start + _BETWEEN_DOSES, stage.steps)
            talk, requests = (sum(max(sign * dose, 0.0) for dose in doses.values()) for sign in (1, -1))
            mix = stage.mix._replace(talk=talk, requests=requests, observed=rest - talk - requests)
            self._run(stage._replace(mix=mix), range(start, end), doses)
            reading = self._read()
            if end > stage.held * stage.steps and reading.distance(aim) < nearest:
                nearest, kept = reading.distance(aim), copy.deepcopy(self.network.state_dict())
            doses = next_doses(doses, reading, aim=aim)
        self.network.load_state_dict(kept)

    def _run(self, stage: Stage, steps: range, doses: Mapping[str, float]) -> None:
        self.network.train()
        batches = _batches(stage.mix, self._recipe.batch, doses, self._draw)
        for step, lessons in zip(steps, batches, strict=False):
            self._learn(lessons, stage.rate_at(step))

    def _read(self) -> Reading:
        return read(self.network.eval())

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


def save(network: Any, folder: Path) -> None:
    """Write the model in half precision, with its tokenizer, as an ordinary transformers folder.

    The conversion changes the network itself: it stays in half precision.
    """
    with quiet_transformers():
        network.half().save_pretrained(folder)
        new_tokenizer().save_pretrained(folder)


def _new(size: Size | EncoderDecoderSize, index: dict[str, int]) -> Any:
    if isinstance(size, EncoderDecoderSize):
        return new_encoder_decoder(size, len(index), padding=index[PADDING], end=index[END])
    return new_network(size, len(index), padding=index[PADDING], end=index[END])


def _loss(network: Any, lessons: list[Lesson], index: dict[str, int]) -> Any:
    if network.config.is_encoder_decoder:
        # The encoder reads the words before the first target. In the lessons of its recipe, all further words are
        # targets.
        words = [([index[word] for word in lesson.words], lesson.learned[0]) for lesson in lessons]
        return answer_loss(network, [ids[:first] for ids, first in words], [ids[first:] for ids, first in words])
    return _decoder_loss(network, lessons, index)


def _decoder_loss(network: Any, lessons: list[Lesson], index: dict[str, int]) -> Any:
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


def _batches(mix: Mix, batch: int, doses: Mapping[str, float], draw: random.Random) -> Iterator[list[Lesson]]:
    """Yield batches without end. Four are drawn together and divided by length, which avoids a third of the padding."""
    while True:
        lessons = [_lesson(mix, doses, draw) for _ in range(4 * batch)]
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


def _lesson(mix: Mix, doses: Mapping[str, float], draw: random.Random) -> Lesson:
    """Draw a lesson. The kinds of talk and requests follow from the doses (`dosage.next_doses`)."""
    sort = draw.choices(Mix._fields, mix)[0]
    if sort == "copying":
        return copying_lesson(draw, dense=mix.spoken == 0 or draw.random() < 0.5)
    if sort == "talk":
        return talk_lesson(draw, {kind: max(dose, 0.0) for kind, dose in doses.items()})
    if sort == "requests":
        return request_lesson(draw, {kind: max(-dose, 0.0) for kind, dose in doses.items()})
    return _MAKERS[sort](draw)


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
    return AdamW(groups, lr=recipe.first.learning_rate, betas=(0.9, 0.98), fused=True)
