from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import UsageError
from phraseproof.scoring.registry import scorer

NORM = scorer("loglikelihood_norm")
options_ = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6)
logprob = st.floats(-1000, 0) | st.just(-math.inf)


@given(options_, st.data())
def test_log_probabilities_are_divided_by_bytes(options: list[str], data: st.DataObject) -> None:
    values = data.draw(st.lists(logprob, min_size=len(options), max_size=len(options)))
    sizes = np.array([len(option.encode("utf-8")) for option in options])
    assert NORM.choose(values, options) == int(np.argmax(np.array(values) / sizes))


def test_bytes_not_characters() -> None:
    # By characters the second would win (-4/4 against -6/4); by bytes the first does (-6/8 against -4/4).
    assert NORM.choose([-6.0, -4.0], ["éééé", "eeee"]) == 0
    assert NORM.values([-6.0, -4.0], ["éééé", ""]) == [-0.75, -4.0]


def test_characters_on_request() -> None:
    by_character = scorer("loglikelihood_norm:characters")
    assert by_character.name == "loglikelihood_norm:characters"
    assert by_character.values([-6.0, -4.0], ["éééé", ""]) == [-1.5, -4.0]
    assert by_character.choose([-6.0, -4.0], ["éééé", "eeee"]) == 1
    assert by_character.can_derive_from(NORM)
    with pytest.raises(UsageError, match=r"cannot count 'words'.*expected loglikelihood_norm:characters"):
        scorer("loglikelihood_norm:words")
