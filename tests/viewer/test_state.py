"""The state in an address: what is read, what is left at its default, and links."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from phraseproof.viewer.state import MAX_TEXT, PageState


def test_a_link_gives_its_state_back() -> None:
    state = PageState(run="a/b", task="kb/ü&=?#", q="100% 'of' \"it\"", page=3, shots=0, by="worst")
    assert PageState.of(dict(parse_qsl(state.query()))) == state


def test_defaults_are_not_in_the_address() -> None:
    assert PageState(run="a", page=1, show="all").query() == "run=a"
    assert PageState(run="a", page=2).having(page=1).query() == "run=a"


@pytest.mark.parametrize("page", ["0", "-3", "x", "1e3", "9" * 400, "", "٣", "1.5"])
def test_pages_that_are_none_are_the_first(page: str) -> None:
    assert PageState.of({"page": page, "cols": page}) == PageState()


def test_unknown_choices_and_names_are_ignored() -> None:
    assert PageState.of({"show": "1; DROP TABLE outcomes", "sort": "x", "by": "y", "unknown": "z"}) == PageState()


def test_long_values_are_cut() -> None:
    assert len(PageState.of({"q": "x" * 10_000}).q) == MAX_TEXT


def test_a_name_that_does_not_exist_is_a_fault() -> None:
    with pytest.raises(TypeError):
        PageState().having(nothing=1)
