"""A comparison for people."""

import pytest

from phraseproof.reports.build.compare import ComparisonReport, compare
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format import compare_text
from phraseproof.store.queries import load_run
from support.report_runs import write_run


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[ComparisonReport]:
    folder = tmp_path_factory.mktemp("runs")
    return compare(*(load_run(write_run(folder / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.3))))


def test_the_first_sentence_answers_the_question(found: list[ComparisonReport]) -> None:
    text = compare_text.render(found, Screen())
    shown = [line for line in text.splitlines() if line]
    assert shown[2] == "prompt format plain, scoring loglikelihood, metric accuracy"
    assert shown[3] == "No setting or version differs."
    assert shown[4].startswith("chance ")
    assert next(line for line in shown[5:] if not line.startswith(" ")).startswith("Better. ")
    assert "Overall" in text


def test_a_narrow_screen_puts_intervals_below(found: list[ComparisonReport]) -> None:
    narrow = compare_text.render(found, Screen(width=50))
    assert max(map(len, narrow.splitlines())) <= 50
    assert " to " in narrow
    assert "95% interval  " not in narrow
