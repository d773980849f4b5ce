"""Free-form model arguments are checked by name and by value."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.models.options import check_argument_names, positive_int


def test_an_unknown_argument_names_the_closest() -> None:
    check_argument_names(["seed"], known=["seed", "rule"], model="scripted")
    with pytest.raises(UsageError, match="unknown model argument 'sead'") as caught:
        check_argument_names(["sead"], known=["seed", "rule"], model="scripted")
    assert "seed" in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "two", "", "²"])
def test_counts_are_whole_numbers_above_zero(text: str) -> None:
    with pytest.raises(UsageError, match="whole number above zero"):
        positive_int(text, name="max_length")


def test_a_count_is_read() -> None:
    assert positive_int("17", name="max_length") == 17
