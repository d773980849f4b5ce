"""The text format, read as a person at a terminal would."""

import re

import pytest
from rich.cells import cell_len

from phraseproof.reports.build.run_tables import RunScores, Screen
from phraseproof.reports.format.tables import By, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.table_samples import HOSTILE, RUN, VALUES, scores


def shown(
    run: RunScores = RUN, *, width: int = 100, color: bool = False, by: By = By.TASK, order: tuple[str, ...] = ()
):
    return render([run], by=by, screen=Screen(width, color), group_order=order).text


def line_of(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip().startswith(start)]
    return re.split(r"\s{2,}", line.strip())


def test_rows_hold_mean_std_wordings_and_difference():
    text = shown()
    assert line_of(text, "qa/one") == ["qa/one", "53.0 ± 3.6 (3)", "45.0 ± 7.1 (2)", "-8.0"]
    assert line_of(text, "Overall") == ["Overall", "73.8 ± 5.1 (3)", "72.8 ± 6.8 (3)", "-1.0"]
    assert line_of(text, "observed") == ["observed", "unobserved", "difference"]


def test_tasks_stand_under_their_category_and_overall_is_last():
    lines = [line.split("  ")[0] or line.strip().split(" ")[0] for line in shown().splitlines()]
    order = [line for line in lines if line in {"qa", "bc", "qa/one", "qa/two", "bc/one", "Overall"}]
    assert order == ["qa", "qa/one", "qa/two", "bc", "bc/one", "Overall"]


def test_the_test_is_told_with_interval_p_method_and_n():
    text = " ".join(shown().split())
    pattern = r"Over tasks, unobserved minus observed: -3\.0 points, 95% interval -20\.\d to \+14\.\d, p = 0\.\d{3}"
    assert re.search(pattern + r" \(paired t-test, two-sided, n = 3 tasks\)", text)


def test_without_a_test_the_reason_is_told():
    run = RunScores("r", "m", scores({"qa/one": VALUES["qa/one"]}), metric=ACCURACY)
    assert "no p-value, a paired t-test needs at least two tasks" in " ".join(shown(run).split())


def test_a_lone_task_stands_alone():
    text = shown(RunScores("r", "m", scores({"tickets": {"today": [0.5, 0.7]}}), metric=ACCURACY))
    assert "Overall" not in text
    assert line_of(text, "tickets") == ["tickets", "60.0 ± 14.1 (2)"]
    assert "difference" not in text.splitlines()[2]


def test_not_enough_data_is_said_not_nan():
    text = shown(
        RunScores("r", "m", scores({"a/1": {"old": [0.5]}, "a/2": {"old": [0.5], "new": [0.5]}}), metric=ACCURACY)
    )
    assert line_of(text, "a/1") == ["a/1", "50.0 ± n/a (1)", "n/a", "n/a"]
    assert "nan" not in text.lower()
    assert "Note: No wording of group new for a/1" in text


def test_several_runs_and_shots_each_have_a_block():
    other = RunScores("runs/other", "org/other", scores(VALUES, shots=5) + scores(VALUES), metric=ACCURACY)
    text = render([RUN, other]).text
    titles = [line for line in text.splitlines() if line.endswith("-shot")]
    assert titles == ["org/model, 0-shot", "org/other, 0-shot", "org/other, 5-shot"]


def test_more_than_two_groups_name_each_difference():
    text = shown(
        RunScores("r", "m", scores({"t": {"a": [0.1], "b": [0.2], "c": [0.4]}}), metric=ACCURACY), order=("b",)
    )
    assert line_of(text, "b ") == ["b", "a", "c", "a minus b", "c minus b"]


def test_colour_only_where_asked_for():
    assert "\x1b" not in shown()
    assert "\x1b[1m" in shown(color=True)
    assert "\x1b[32m" in shown(color=True, by=By.WORDING)


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("width", [20, 31, 48, 60, 80, 120])
@pytest.mark.parametrize("run", [RUN, HOSTILE], ids=["plain", "hostile"])
def test_no_line_is_wider_than_the_screen(width: int, by: By, run: RunScores):
    assert max(map(cell_len, shown(run, width=width, by=by).splitlines())) <= width


def test_a_narrow_screen_gets_one_number_a_line():
    text = shown(width=40)
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    at = lines.index(["qa/one"])
    wanted = [["observed", "53.0 ± 3.6 (3)"], ["unobserved", "45.0 ± 7.1 (2)"], ["difference", "-8.0"]]
    assert lines[at + 1 : at + 4] == wanted


def test_columns_are_aligned():
    lines = [line for line in shown().splitlines() if "±" in line and "(" in line and "mean" not in line]
    assert len({line.rindex(")") for line in lines}) == 1


def test_what_users_wrote_is_shown_and_does_not_act():
    text = shown(HOSTILE, width=400)
    assert "\x1b" not in text
    assert "[red]a|b[/red]" in text
    assert r"\x1b[31mo" in text


def test_wordings_are_ranked_and_their_texts_cut_to_fit():
    run = RunScores(
        "r", "m", scores({"t": {"g": [0.2, 0.9, 0.5]}}), {("t", "g/1"): "Answer the question. " * 20}, metric=ACCURACY
    )
    lines = shown(run, by=By.WORDING, width=80).splitlines()
    assert lines[2] == "t, g: 3 wordings"
    assert lines[3].split()[:3] == ["best", "90.0", "g/1"]
    assert lines[3].endswith("…")
    assert lines[4].split() == ["50.0", "g/2"]
    assert lines[5].split() == ["worst", "20.0", "g/0"]


def test_a_narrow_screen_keeps_wordings_names_whole():
    run = RunScores(
        "r", "m", scores({"t": {"g": [0.2, 0.9]}}), {("t", "g/1"): "Answer the question. " * 20}, metric=ACCURACY
    )
    lines = [line.strip() for line in shown(run, by=By.WORDING, width=30).splitlines()]
    assert lines[3].split() == ["best", "90.0", "g/1"]
    assert lines[4].startswith("Answer the")
    assert lines[4].endswith("…")


def test_where_only_the_numbers_of_wordings_do_not_fit_they_move_below() -> None:
    full, compact, stacked = (shown(width=width) for width in (100, 56, 40))
    assert "(3)" in full
    (row,) = [line for line in compact.splitlines() if line.strip().startswith("qa/one")]
    assert row.split() == ["qa/one", "53.0", "±", "3.6", "45.0", "±", "7.1", "-8.0"]
    assert "wordings of a task: 2 to 3 observed, 2 to 3 unobserved" in " ".join(compact.split())
    assert max(map(len, compact.splitlines())) <= 56
    assert "(3)" in stacked
