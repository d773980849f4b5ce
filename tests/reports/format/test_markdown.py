"""Markdown: what is written is what is read."""

from phraseproof.reports.format.markdown import escape, table_lines


def test_marks_are_escaped_and_lines_joined() -> None:
    assert escape("a|b *c*\n_d_") == r"a\|b \*c\* \_d\_"


def test_a_table_has_a_rule_that_aligns_its_columns() -> None:
    assert table_lines(["", "%"], [["a", "1.0"]], right=(1,)) == ["|  | % |", "| --- | ---: |", "| a | 1.0 |"]
