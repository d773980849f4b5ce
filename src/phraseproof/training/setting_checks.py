"""Checks of the settings of a training, with the option to correct in the error."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from phraseproof.errors import UsageError

MIXED_PRECISIONS = (None, "no", "bf16", "fp16")
"""The values of `mixed_precision`."""

_TOO_MUCH = 1e30
"""Larger values overflow float32 in the optimizer."""


def check_settings(
    settings: object,
    *,
    at_least: Mapping[str, float],
    above_zero: Collection[str],
    choices: Mapping[str, Collection[str | None]],
) -> None:
    """Check the values of settings. Numbers may be `None`; where that is not allowed, a type checker says so.

    Args:
        settings: has an attribute for each name.
        at_least: the lowest value of each number.
        above_zero: the numbers that are above zero.
        choices: the values that a setting may have.

    Raises:
        UsageError: a value is not valid.
    """
    for name, least in at_least.items():
        value = getattr(settings, name)
        if value is not None and not least <= value < math.inf:
            raise wrong_setting(name, f"{least:g} or more", value)
    for name in above_zero:
        value = getattr(settings, name)
        if value is not None and not 0 < value < _TOO_MUCH:
            raise wrong_setting(name, f"a number above zero and below {_TOO_MUCH:g}", value)
    for name, known in choices.items():
        value = getattr(settings, name)
        if value not in known:
            raise wrong_setting(name, f"one of: {', '.join(map(str, filter(None, known)))}", value)


def wrong_setting(name: str, expected: str, got: object) -> UsageError:
    """The error of a setting whose value is not valid; `name` is that of the attribute."""
    option = f"--{name.rstrip('_').replace('_', '-')}"
    return UsageError("the value is not valid for this option", expected=expected, got=str(got), where=option)
