"""Stop strings: the earliest one ends a text, and only that decides whether it was cut."""

from __future__ import annotations

from phraseproof.core import CutText
from phraseproof.models.stop_strings import before_stop, stops_at


def test_the_earliest_stop_string_ends_the_text() -> None:
    assert before_stop("yes \n\nNo. Q: next", ("Q:", "\n\n")) == "yes"
    assert before_stop("Q: next", ("Q:",)) == ""
    assert stops_at("one two", ("two", "one")) == 0
    assert stops_at("one two", ()) is None


def test_a_text_that_stops_is_not_cut() -> None:
    cut = CutText("one two three")
    assert before_stop(cut, ("four",)) is cut
    assert not isinstance(before_stop(cut, ("two",)), CutText)
