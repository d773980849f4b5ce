"""Ensembles of wordings: how the answers of several wordings are combined, and which wordings are chosen for it.

A member is one wording (with its demonstrations): one call to the model per answer. Members that score letters and
members that score texts combine by the position in the example's choices.

Sources: averaging over prompts is the prompt ensembling of Jiang et al. 2020 (arXiv 1911.12543) and Lester et al. 2021
(arXiv 2104.08691); choosing members one by one is the forward selection of Caruana et al. 2004 ("Ensemble selection
from libraries of models"), without replacement because every member costs a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, assert_never

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags, OptionValues

How: TypeAlias = Literal["mean_probability", "mean_logprob", "majority"]
ChosenBy: TypeAlias = Literal["random", "best", "greedy"]

HOWS: Final[tuple[How, ...]] = ("mean_probability", "mean_logprob", "majority")

# The log of probability 0 in sums: below every sum of real log-probabilities, and finite, so that of
# options that are all ruled out by someone the one that fewest members rule out is chosen.
_RULED_OUT = -1e6

# Finite limits, so that minus infinity is never subtracted from itself.
_LOWEST = -1e300
_TINY = np.finfo(np.float64).tiny


def combine(logprobs: Floats, how: How = "mean_probability") -> Floats:
    """The log-probabilities that k members give together.

    A member whose options of an example are all minus infinity did not read it and abstains. Where all members
    abstain, the result is minus infinity for every option.

    Args:
        logprobs: [k, E, C] natural logs of probabilities that add up to 1 in every example; minus infinity where there
            is no option.
        how: `mean_probability` is the log of the mean probability. `mean_logprob` is the mean log-probability, scaled
            so that probabilities add up to 1; an option that one member rules out is ruled out, unless all options
            are. `majority` counts the members whose most probable option it is (the first of equal ones), and orders
            options with equally many votes by their mean probability: probabilities are in proportion to the votes,
            with half a vote more that is divided as the mean probability is.

    Returns:
        [E, C]
    """
    ballots = Ballots.of(logprobs, how)
    return ballots.logprobs(np.arange(len(logprobs)))


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """What each of K wordings adds to an ensemble: the sum over the members orders the options.

    Attributes:
        values: [K, E, C]; minus infinity where there is no option.
        reads: [K, E] whether the wording gives any option of the example a probability.
        how: as in `combine`.
    """

    values: Floats
    reads: Flags
    how: How

    @classmethod
    def of(cls, logprobs: Floats, how: How = "mean_probability") -> Ballots:
        """The ballots of wordings from their log-probabilities [K, E, C], as `combine` takes them."""
        reads = ~np.isneginf(logprobs.max(axis=-1))
        probabilities = np.exp(logprobs)
        match how:
            case "mean_probability":
                values = probabilities
            case "mean_logprob":
                values = np.where(reads[..., None], np.maximum(logprobs, _RULED_OUT), 0.0)
            case "majority":
                votes = np.zeros_like(logprobs)
                np.put_along_axis(votes, logprobs.argmax(axis=-1)[..., None], 1.0, axis=-1)
                # Half a vote for all wordings together decides between equal numbers of votes only.
                values = np.where(reads[..., None], votes + probabilities / (2 * len(logprobs)), 0.0)
            case _:
                assert_never(how)
        return cls(np.where(np.isneginf(logprobs).all(axis=0), -np.inf, values), reads, how)

    def take_examples(self, places: Ints) -> Ballots:
        """The same with some of its examples."""
        return Ballots(self.values[:, places], self.reads[:, places], self.how)

    def total(self, members: Sequence[int] | Ints) -> Floats:
        """[E, C] the sum over members; minus infinity in every option of an example that no member reads."""
        total = self.values[members].sum(axis=0)
        total[~self.reads[members].any(axis=0)] = -np.inf
        return total

    def logprobs(self, members: Sequence[int] | Ints) -> Floats:
        """[E, C] the log-probabilities that the members give together."""
        total = self.total(members)
        number = np.maximum(self.reads[members].sum(axis=0), 1)[:, None]
        if self.how == "mean_logprob":
            total /= number
            total -= np.maximum(total.max(axis=-1, keepdims=True), _LOWEST)
            return total - np.log(np.maximum(np.exp(total).sum(axis=-1, keepdims=True), _TINY))
        total = np.maximum(total, 0.0)
        if self.how == "majority":
            votes = np.floor(total)
            total = votes + (total - votes) * len(self.values) / number
        with np.errstate(divide="ignore"):
            return np.log(total) - np.log(np.maximum(total.sum(axis=-1, keepdims=True), _TINY))

    def scores(self, members: Sequence[int] | Ints, option_credits: Floats) -> Floats:
        """[E] the credit [E, C] of the option that the members choose together; 0 where no member reads the example."""
        return _scores(self.total(members), option_credits)


def choose_members(of: OptionValues, count: int, *, how: How = "mean_probability", by: ChosenBy = "greedy",
                   logprobs: Floats | None = None, seed: int = 0) -> Ints:  # fmt: skip
    """Choose wordings for an ensemble, in order: the first k of them are the choice of k members.

    The accuracy of the result on the same examples is too high, because the choice saw their labels. Judge it on
    others (`of.take_examples`).

    Args:
        of: the wordings and the examples to choose on.
        count: the number of members, at most the number of rows of `of`.
        how: how the members will be combined.
        by: `greedy` adds the wording with which the ensemble has the highest accuracy. `best` takes the wordings with
            the highest accuracies of their own. `random` needs no labels. Equal accuracies are ordered by the mean
            log-probability of the best option, then by place; those of single wordings by place.
        logprobs: [R, E, C] calibrated values of the same; by default `of.logprobs`.
        seed: for `random`.

    Returns:
        [count] rows of `of`.
    """
    if by == "random":
        return np.random.default_rng(seed).permutation(len(of.wordings))[:count]
    given = read_logprobs(of) if logprobs is None else logprobs
    return chosen_members(Ballots.of(given, how), of.credits, count, by=by)


def chosen_members(ballots: Ballots, option_credits: Floats, count: int, *, by: Literal["best", "greedy"]) -> Ints:
    """[count] the rows that `choose_members` chooses, from ballots [K, E, C] and the options' credits [E, C]."""
    everyone = list(range(len(ballots.values)))
    if by == "best":
        return best_first(np.array([ballots.scores([row], option_credits).sum() for row in everyone]))[:count]
    chosen: list[int] = []
    total, is_read = np.zeros(ballots.values.shape[1:]), np.zeros(ballots.values.shape[1], dtype=bool)
    while len(chosen) < count:
        rest = [row for row in everyone if row not in chosen]
        found = [_mean_score(total + ballots.values[row], is_read | ballots.reads[row], option_credits) for row in rest]
        highest = max(found)
        equal = [row for row, score in zip(rest, found, strict=True) if score == highest]
        best = (
            min(equal, key=lambda row: _rank(ballots, [*chosen, row], option_credits)) if len(equal) > 1 else equal[0]
        )
        chosen.append(best)
        total += ballots.values[best]
        is_read |= ballots.reads[best]
    return np.array(chosen, dtype=np.intp)


def best_first(totals: Floats) -> Ints:
    """[..., K] the places of totals [..., K] from the highest to the lowest; equal ones keep their order."""
    return np.argsort(
        -np.round(totals, 9), axis=-1, kind="stable"
    )  # sums of shares that are equal may differ by rounding


def read_logprobs(of: OptionValues) -> Floats:
    """[R, E, C] the log-probabilities of options; minus infinity for all options of an example that was not read."""
    is_unread = np.isneginf(np.where(of.has_option, of.values, -np.inf).max(axis=-1))
    return np.where(is_unread[..., None], -np.inf, of.logprobs)


def _rank(ballots: Ballots, members: list[int], option_credits: Floats) -> tuple[float, float]:
    """Lower is better: accuracy first, then the mean log-probability of the best option."""
    right = np.take_along_axis(ballots.logprobs(members), option_credits.argmax(axis=1)[:, None], axis=1)
    return -float(ballots.scores(members, option_credits).mean()), -float(np.maximum(right, _RULED_OUT).mean())


def _mean_score(total: Floats, is_read: Flags, option_credits: Floats) -> float:
    if is_read.all():
        return float(_scores(total, option_credits).mean())
    return float(_scores(np.where(is_read[:, None], total, -np.inf), option_credits).mean())


def _scores(total: Floats, option_credits: Floats) -> Floats:
    examples, options = total.shape
    places = np.arange(examples) * options + total.argmax(axis=-1)
    return np.where(np.isneginf(total.ravel()[places]), 0.0, option_credits.ravel()[places])
