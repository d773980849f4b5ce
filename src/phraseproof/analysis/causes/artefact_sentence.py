"""How much of a task's spread under log-likelihoods is an artefact of the scoring, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from phraseproof.analysis.causes.artefact import MANY_UNREAD, Artefact, is_known
from phraseproof.core import Finding


def artefact_sentence(found: Artefact) -> str:
    """Where the two scorings disagree, and which share of the variance under log-likelihoods is of the scoring."""
    return " ".join(_sentences(found))


def _sentences(found: Artefact) -> Iterator[str]:
    if not found.is_beyond_chance:
        yield f"Under {found.options} there is no spread beyond chance that could be an artefact of scoring."
    elif found.pair is None or not is_known(found.pair):
        share = "" if found.pair is None else f": {_percent(found.pair.unshared)} of its variance"
        yield f"How much of the spread under {found.options} is an artefact of scoring is not clear{share}."
    else:
        yield (
            f"{_percent(found.pair.unshared)} of the variance under {found.options} is an artefact of scoring: "
            f"{found.text} does not share it."
        )
    if found.choices.read.sum():
        kappa = "" if found.choices.kappa != found.choices.kappa else f" (kappa {found.choices.kappa:.2f})"
        yield f"Of the answers that both read, {100 * found.choices.share:.0f}% are the same{kappa}."
    unread = float(found.choices.unread[1])
    if unread >= MANY_UNREAD:
        yield f"Of the texts, {100 * unread:.0f}% name no option and count as wrong{_guessed(found)}."


def _guessed(found: Artefact) -> str:
    pair = None if found.guessed is None else found.guessed.pair
    if pair is None or not is_known(pair):
        return ""
    return f"; with guesses in their place the artefact is {_percent(pair.unshared)}"


def _percent(share: Finding) -> str:
    assert share.low is not None
    assert share.high is not None
    return f"{100 * share.estimate:.0f}% [{100 * share.low:.0f}, {100 * share.high:.0f}]"
