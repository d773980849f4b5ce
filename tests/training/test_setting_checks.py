"""A value that is not valid is named with its option; `None` and the limits themselves are accepted."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from phraseproof.errors import UsageError
from phraseproof.training.setting_checks import MIXED_PRECISIONS, check_kept_epochs, check_settings


def check(**changes: float | str | None) -> None:
    settings = SimpleNamespace(**{"lambda_": 0.5, "max_norm": 1.0, "precision": "bf16"} | changes)
    check_settings(settings, at_least={"lambda_": 0}, above_zero=["max_norm"], choices={"precision": MIXED_PRECISIONS})


def test_valid_values_are_accepted() -> None:
    check(lambda_=0)
    check(max_norm=None, precision=None)


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_numbers_below_the_lowest_and_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(UsageError, match=r"^--lambda: .*expected 0 or more"):
        check(lambda_=value)


@pytest.mark.parametrize("value", [0, -1, 1e30, math.nan])
def test_numbers_that_are_not_above_zero_or_overflow_are_refused(value: float) -> None:
    with pytest.raises(UsageError, match=r"^--max-norm: .*above zero and below 1e\+30"):
        check(max_norm=value)


def test_other_choices_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^--precision: .*expected one of: no, bf16, fp16, got int8"):
        check(precision="int8")


@pytest.mark.parametrize("wrong", [(0,), (1, 4), "some", "1,2"])
def test_epochs_that_a_training_does_not_have_are_refused(wrong: Any) -> None:
    check_kept_epochs("all", 3)
    check_kept_epochs((1, 3), 3)
    with pytest.raises(UsageError, match=r"^--keep-epochs: .*expected all, or numbers from 1 to 3"):
        check_kept_epochs(wrong, 3)
    check_kept_epochs((1, 4), None)
