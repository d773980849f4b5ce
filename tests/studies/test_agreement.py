"""Printed figures are compared to the printed digit."""

from __future__ import annotations

from phraseproof.studies.agreement import agreement_tables, computed
from phraseproof.studies.published import figures

OBSERVED, *_ = figures(["Table 3"], model="Flan-T5-XL", statistic="mean")  # MMLU, 48.1 ± 0.3


def test_the_printed_number_of_digits_decides() -> None:
    assert computed(OBSERVED, 48.14, 0.34).agrees
    assert not computed(OBSERVED, 48.16, 0.3).agrees
    assert not computed(OBSERVED, 48.1, 0.36).agrees
    assert computed(OBSERVED, 48.16, 0.3).shown == "48.2 ± 0.3"


def test_what_differs_is_listed_with_both_values() -> None:
    (table,) = agreement_tables([computed(OBSERVED, 48.1, 0.3), computed(OBSERVED, 47, 0.3)])
    assert table.rows == (("Table 3", "Flan-T5-3B, OBSERVED", "MMLU", "48.1 ± 0.3", "47.0 ± 0.3", ""),)
    assert table.lines == ("1 of 2 printed figures follow from the accuracies of single wordings.",)


def test_a_remark_that_repeats_the_computed_figure_is_left_out() -> None:
    (printed,) = figures(["Table 20"], model="Flan-T5-Base")[1:]
    assert printed.remark == "the released wordings give 34.1 ± 1.0"
    (table,) = agreement_tables([computed(printed, 34.14, 0.97), computed(printed, 34.3, 0.97)])
    assert [row[-2:] for row in table.rows] == [("34.1 ± 1.0", ""), ("34.3 ± 1.0", printed.remark)]


def test_nothing_is_said_where_nothing_is_compared() -> None:
    assert agreement_tables([]) == ()
    (table,) = agreement_tables([computed(OBSERVED, 48.1, 0.3)])
    assert table.rows == ()
