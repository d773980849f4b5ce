"""The page's table of statistics."""

from phraseproof.core import Finding
from phraseproof.reports.html.statistics import difference_line


def test_a_difference_is_a_sentence_with_its_method() -> None:
    line = difference_line("b", "a", Finding("d", -0.05, 9, "a method", -0.08, -0.02, 0.0002))
    assert "-5.0 points" in line
    assert "95% interval -8.0 to -2.0" in line
    assert "p < 0.001" in line
    assert "a method" in line
