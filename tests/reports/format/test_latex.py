"""LaTeX: what is written is what is set."""

from phraseproof.reports.format.latex import escape, row_line


def test_special_characters_are_escaped() -> None:
    assert escape("50% of $a_1 & {b}") == r"50\% of \$a\_1 \& \{b\}"
    assert escape("a--b") == "a-{}-b"
    assert escape("±") == r"$\pm$"


def test_a_row_ends_with_a_break() -> None:
    assert row_line(["a", "b"]) == r"a & b \\"
