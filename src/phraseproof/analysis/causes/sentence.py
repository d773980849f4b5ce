"""The causes of a task's spread in one or two plain sentences."""

from __future__ import annotations

from phraseproof.analysis.causes.components import CAUSES
from phraseproof.analysis.causes.spread import DRAWS, NOISE, SpreadCauses
from phraseproof.core import Finding

_TENTHS = (
    "none",
    "a tenth",
    "a fifth",
    "three tenths",
    "two fifths",
    "half",
    "three fifths",
    "seven tenths",
    "four fifths",
    "nine tenths",
    "nearly all",
)
_NAMED = 0.45
"""A cause with at least this share is named as the main one."""

WORTH_NAMING = 0.15
"""Smaller parts are not named next to the main one."""

_EQUAL_POINTS = 1.0


def cause_sentence(found: SpreadCauses) -> str:
    """What a reader should know first about the spread of a task.

    It names the largest cause if the data can show which it is, and says how good the wordings are without it.
    """
    examples = f"{found.examples:,} examples"
    if found.std == 0:
        return "All wordings have the same accuracy."
    if not found.is_beyond_chance:
        return f"The spread is no larger than what {examples} give by chance."
    shares = {name: each.estimate for name, each in found.shares.items()}
    others = {name: shares[name] for name in (DRAWS, NOISE) if name in shares}
    largest = max(others, key=lambda name: others[name])
    if others[largest] > max(shares[name] for name in CAUSES):
        what = f"the draw of {examples}" if largest == NOISE else _draws(found)
        return f"{_start(others[largest])} of the spread is {what}; the cause of the rest is not clear."
    if not found.can_tell:
        return f"The spread is larger than chance gives, but {examples} do not show its cause."
    main = max(CAUSES, key=lambda name: shares[name])
    if shares[main] < _NAMED:
        return f"The spread has no main cause: {_listed(found)}. {_without(found)}"
    second = max((name for name in CAUSES if name != main), key=lambda name: shares[name])
    is_named = shares[second] >= WORTH_NAMING and _is_sure(found.shares[second])
    more = f", and {part(shares[second])} is {_what(found, second)}" if is_named else ""
    return f"{_start(shares[main])} of the spread is {_what(found, main)}{more}. {_without(found)}"


def _draws(found: SpreadCauses) -> str:
    if not found.has_orders:
        return "the draw of demonstrations"
    return (
        "the draw of demonstrations and of orders of options" if found.num_fewshot else "the draw of orders of options"
    )


def _is_sure(share: Finding) -> bool:
    assert share.low is not None
    return share.low > 0


def part(share: float) -> str:
    """A share in words, in tenths: `a fifth`."""
    return _TENTHS[min(10, max(0, round(10 * share)))]


def _start(share: float) -> str:
    """The same at the start of a sentence."""
    words = part(share)
    return words[0].upper() + words[1:]


def _what(found: SpreadCauses, cause: str) -> str:
    if cause == "prior":
        return f"{_prior(found)}, whatever the example"
    if cause == "skill":
        return "skill: how well the model tells right from wrong options under a wording"
    return "prior and skill in combination"


def _prior(found: SpreadCauses) -> str:
    if len(found.classes) == 2:
        return f"how often '{found.classes[0]}' is answered"
    return "how often each option is chosen"


def _listed(found: SpreadCauses) -> str:
    names = {
        "prior": _prior(found),
        "skill": "skill",
        "joint": "prior and skill in combination",
        NOISE: "the draw of examples",
    }
    shown = [f"{part(found.shares[name].estimate)} is {words}" for name, words in names.items()]
    return f"{', '.join(shown[:-1])}, and {shown[-1]}"


def _without(found: SpreadCauses) -> str:
    """What is left without the priors."""
    total = len(found.wordings)
    if not found.skilled:
        return (
            "Without that prior, no wording is better than chance."
            if _is_prior(found)
            else ("No wording is better than chance without its prior.")
        )
    low, high = 100 * found.without_prior.min(), 100 * found.without_prior.max()
    scores = f"have {low:.0f}%" if high - low < _EQUAL_POINTS else f"range from {low:.0f} to {high:.0f}%"
    skilled = "all of them" if found.skilled == total else f"{found.skilled} of {total}"
    better = "is" if found.skilled == 1 else "are"
    start = "Without that prior" if _is_prior(found) else "Without their priors"
    return f"{start}, the wordings {scores}; {skilled} {better} better than chance."


def _is_prior(found: SpreadCauses) -> bool:
    return max(CAUSES, key=lambda name: found.shares[name].estimate) == "prior"
