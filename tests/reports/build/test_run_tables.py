"""How numbers and other people's words are put, whatever the format."""

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.reports.build.run_tables import points, printable


def test_a_difference_that_rounds_to_nothing_has_no_sign():
    assert [points(value) for value in (-0.0004, 0.0004, 0.0, -0.001, 0.001)] == ["0.0"] * 3 + ["-0.1", "+0.1"]


@given(st.text())
def test_printable_text_is_one_line_that_cannot_act(text: str):
    line = printable(text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in line)
    assert line == line.strip()
