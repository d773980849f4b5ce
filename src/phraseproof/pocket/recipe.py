"""The recipes of the pocket models: the size, the stages, and the settings of each training."""

from __future__ import annotations

import math
from typing import NamedTuple

from phraseproof.pocket.encoder_decoder_network import EncoderDecoderSize
from phraseproof.pocket.network import SIZES, DecoderSize


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
            from the accuracy under validation wordings (`talk_shares.py`), and observed wordings take the rest. Of the
            weights measured while the learning rate falls, those nearest to the target are kept.
        target_gap: the intended gap of every kind between observed and validation wordings, in points.
        batch: the number of lessons per step.
        patience: the maximum length of the stage of questions, as a multiple of its steps.
    """

    size: DecoderSize | EncoderDecoderSize = SIZES["small"]
    first: Stage = Stage(600, Mix(0.65, dictionary=0.2, bare=0.15, spoken=0, talk=0, observed=0), 2e-3, 2e-3)
    questions: Stage = Stage(1200, Mix(0.1, dictionary=0.05, bare=0.15, spoken=0.4, talk=0, observed=0.3), 2e-3, 2e-3)
    talk: Stage = Stage(500, Mix(0.1, dictionary=0, bare=0, spoken=0.5, talk=0.4, observed=0), 2e-3, 1e-3)
    tuning: Stage = Stage(
        900, Mix(0.05, dictionary=0, bare=0, spoken=0.2, talk=0.06, observed=0.69), 1e-3, 5e-5, held=0.4
    )
    target_gap: float = 9.5
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


def _untuned(size: DecoderSize, *, length: float) -> Recipe:
    """The stages before tuning, without observed wordings: a model that is taught to answer speakers alone.

    Args:
        size: of the model.
        length: of all stages, as a multiple of those of `RECIPE`.
    """

    def stage(of: Stage, mix: Mix) -> Stage:
        return of._replace(steps=round(length * of.steps), mix=mix)

    mixed = RECIPE.questions.mix
    return RECIPE._replace(
        size=size,
        first=stage(RECIPE.first, RECIPE.first.mix),
        questions=stage(RECIPE.questions, mixed._replace(spoken=mixed.spoken + mixed.observed, observed=0)),
        talk=stage(RECIPE.talk, RECIPE.talk.mix),
        tuning=RECIPE.tuning._replace(steps=0),
        # Observed wordings are not taught, so nothing is extended until they are understood.
        patience=1.0,
    )


RECIPES = {name: RECIPE._replace(size=size) for name, size in SIZES.items()} | {
    # At the learning rate of the others it stays at chance on labels.
    "medium": RECIPE._replace(
        size=SIZES["medium"], first=RECIPE.first.slower(0.5), questions=RECIPE.questions.slower(0.5)
    ),
    "small-t5": ENCODER_DECODER_RECIPE,
    # Llama 2 was trained on 40% more text than Llama 1 (paper, appendix D).
    "tiny-base": _untuned(SIZES["tiny"], length=1.0),
    "tiny-base-long": _untuned(SIZES["tiny"], length=1.4),
}
"""The recipe of each shipped model."""
