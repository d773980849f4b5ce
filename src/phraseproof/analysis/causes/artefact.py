"""How much of the spread under the log-likelihoods of options is of this way to read an answer (arXiv 2509.01790).

Two scorers of a run answer the same prompts: one compares log-probabilities of options, the other reads a text that the
model writes. Of the variance over wordings under the first, as any number of examples would show it, the part that is
a covariance with the second belongs to the model; the rest is an artefact of the scoring.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.choices import ChoiceAgreement, ChosenOptions, choice_agreement
from phraseproof.analysis.causes.scorers import PairSpread, ScorerSpread, pair_spread
from phraseproof.analysis.causes.spread import SIGNIFICANCE, WIDEST
from phraseproof.analysis.grids import Floats
from phraseproof.errors import UsageError
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Reading

MANY_UNREAD = 0.05
"""The share of unread answers from which the spread is also computed with guesses in their place."""
MOSTLY = 0.5


class Guessed(NamedTuple):
    """The same with the score of a blind guess for every unread answer.

    Attributes:
        mean, std: of the wordings' scores under the scorer that reads texts.
        pair: as in `Artefact`.
    """

    mean: float
    std: float
    pair: PairSpread | None


class Artefact(NamedTuple):
    """One task under log-likelihoods and under generation.

    Attributes:
        task, num_fewshot: which one.
        options: the scorer that compares log-probabilities.
        text: the scorer that reads texts.
        wordings: those that both scored.
        means, stds: [2] of the wordings' scores under these two; unread answers are wrong.
        is_beyond_chance: whether the wordings differ under `options` by more than the draw of examples explains.
        pair: the shares of the variance; `None` where they have no bounds, or there is no spread beyond chance.
        choices: how often both choose the same option.
        guessed: with guesses in place of unread answers; `None` where fewer than `MANY_UNREAD` are unread.
        mostly_unread: wordings of whose texts most could not be read.
    """

    task: str
    num_fewshot: int
    options: str
    text: str
    wordings: tuple[str, ...]
    means: tuple[float, float]
    stds: tuple[float, float]
    is_beyond_chance: bool
    pair: PairSpread | None
    choices: ChoiceAgreement
    guessed: Guessed | None
    mostly_unread: tuple[str, ...]

    @property
    def can_tell(self) -> bool:
        """Whether the share that is an artefact is known well enough to state it."""
        return self.pair is not None and is_known(self.pair)


def is_known(pair: PairSpread) -> bool:
    """Whether the interval of `unshared` is narrow enough to name the share."""
    low, high = pair.unshared.low, pair.unshared.high
    assert low is not None
    assert high is not None
    return min(1.0, high) - max(0.0, low) < WIDEST


def scorer_pair(scorers: tuple[str, ...]) -> tuple[str, str] | None:
    """The first scorer that compares options and the first that reads texts; `None` where one is missing."""
    found: dict[bool, str] = {}
    for name in scorers:
        try:
            found.setdefault(scorer(name).reading is Reading.TEXT, name)
        except UsageError:  # of a package that is not installed here
            continue
    return (found[False], found[True]) if len(found) == 2 else None


def artefact(
    spread: ScorerSpread, scores: Floats, choices: tuple[ChosenOptions, ChosenOptions], *, chance: float, seed: int = 0
) -> Artefact:
    """Compare log-likelihoods with generation on one task.

    Args:
        spread: the task's scorers, two of which `scorer_pair` names.
        scores: [2, W, E] under these two.
        choices: of these two.
        chance: the score of a blind guess.
        seed: of the bootstrap over examples.
    """
    names = scorer_pair(spread.scorers)
    assert names is not None
    places = [spread.scorers.index(name) for name in names]
    is_beyond_chance = spread.p_values[places[0]] < SIGNIFICANCE
    unread = choices[1].unread
    guessed = None
    if unread.mean() >= MANY_UNREAD:
        filled = np.stack([scores[0], scores[1] + chance * unread])
        of_wordings = filled[1].mean(axis=1)
        pair = pair_spread(filled, seed=seed) if is_beyond_chance else None
        guessed = Guessed(float(of_wordings.mean()), float(of_wordings.std(ddof=1)), pair)
    by_wording = scores.mean(axis=2)
    return Artefact(
        spread.task,
        spread.num_fewshot,
        *names,
        spread.wordings,
        (float(by_wording[0].mean()), float(by_wording[1].mean())),
        (spread.stds[places[0]], spread.stds[places[1]]),
        is_beyond_chance,
        pair_spread(scores, seed=seed) if is_beyond_chance else None,
        choice_agreement(*choices),
        guessed,
        tuple(name for name, row in zip(spread.wordings, unread, strict=True) if row.mean() > MOSTLY),
    )
