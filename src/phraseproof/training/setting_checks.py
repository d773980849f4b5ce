"""Checks of the settings of a training, with the option to correct in the error."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Literal

from phraseproof.errors import UsageError

KeptEpochs = tuple[int, ...] | Literal["all"]
"""The epochs after which the weights are kept in a folder."""

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


def check_kept_epochs(keep_epochs: KeptEpochs, last: int | None) -> None:
    """Check the setting `keep_epochs`.

    Args:
        keep_epochs: its value.
        last: the number of epochs of the training; `None` where it is not known yet.

    Raises:
        UsageError: an epoch that the training does not have.
    """
    if keep_epochs == "all":
        return
    expected = "all, or numbers from 1" + ("" if last is None else f" to {last}")
    for epoch in keep_epochs:
        # The characters of another text are no numbers.
        if isinstance(epoch, str) or not 1 <= epoch <= (last or math.inf):
            raise wrong_setting("keep_epochs", expected, keep_epochs if isinstance(keep_epochs, str) else epoch)


def check_kept_step(epoch: int, step: int, total: int) -> None:
    """Check that a training reaches the end of an epoch whose weights are kept.

    Args:
        epoch: its number.
        step: the step in which it ends.
        total: the steps of the training.

    Raises:
        UsageError: the training ends before.
    """
    if step > total:
        raise UsageError(
            f"the training ends before epoch {epoch}, whose weights shall be kept",
            expected=f"epochs that end by step {total}",
            got=f"epoch {epoch}, which ends in step {step}",
            where="--keep-epochs",
            hint=f"Train longer, with --max-steps {step}, or keep all",
        )


def kept_epochs_record(keep_epochs: KeptEpochs) -> list[int] | str:
    """The setting `keep_epochs` as JSON has it."""
    return keep_epochs if isinstance(keep_epochs, str) else [*keep_epochs]


def wrong_setting(name: str, expected: str, got: object) -> UsageError:
    """The error of a setting whose value is not valid; `name` is that of the attribute."""
    option = f"--{name.rstrip('_').replace('_', '-')}"
    return UsageError("the value is not valid for this option", expected=expected, got=str(got), where=option)
