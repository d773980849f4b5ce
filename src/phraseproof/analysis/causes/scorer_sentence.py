"""What several scorers have in common of a task's spread, in one plain sentence."""

from __future__ import annotations

from phraseproof.analysis.causes.scorers import ScorerSpread
from phraseproof.analysis.causes.sentence import WORTH_NAMING, part


def scorer_sentence(found: ScorerSpread) -> str:
    """The Std under each scorer, and which part of the variance they have in common, if the data can show it."""
    digits = ".1f" if found.metric.unit == "%" else ".3g"
    stds = [f"{found.metric.scale * std:{digits}}" for std in found.stds]
    listed = [f"under {name} {std}" for name, std in zip(found.scorers[1:], stds[1:], strict=True)]
    start = f"Under {found.scorers[0]} the Std is {stds[0]}, {_and(listed)}; "
    all_of_them = "both" if len(stds) == 2 else f"all {len(stds)}"
    examples = f"{found.examples:,} examples"
    if not found.is_beyond_chance:
        which = "neither" if len(stds) == 2 else "none"
        return f"{start}{which} is larger than what {examples} give by chance."
    alone = {name: share.estimate for name, share in found.surely_alone.items()}
    if not found.can_tell:
        known = found.main_alone
        if known:
            return f"{start}{part(alone[known])} of it is of {known} alone."
        return f"{start}{examples} do not show how much of it is common to {all_of_them}."
    others = {f"of {name} alone": share for name, share in alone.items()}
    others["the draw of examples"] = found.noise.estimate
    largest = max(others, key=lambda name: others[name])
    more = f", and {part(others[largest])} is {largest}" if others[largest] >= WORTH_NAMING else ""
    return f"{start}{part(found.common.estimate)} of it is common to {all_of_them}{more}."


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
