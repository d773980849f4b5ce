"""The typed figures of the paper agree with one another wherever no remark says that they do not."""

from __future__ import annotations

from statistics import fmean

import pytest

from phraseproof.analysis.results import ResultRow
from phraseproof.studies.published import figures, published_model, published_parameters, remarks
from phraseproof.tasks.bigbench import CATEGORIES, KNOWN

MODELS = ("Flan-T5-XL", "Flan-T5-XXL", "T0++", "Alpaca-7B", "Alpaca-13B")
PER_TASK = ("Table 19", "Table 21", "Table 23", "Table 25")


def category(task: str) -> str:
    return "MMLU" if task == "mmlu" else CATEGORIES[KNOWN[task.removeprefix("bbl/")].kind]


def test_table_3_follows_from_the_tables_of_single_data_sets_where_no_remark_says_otherwise() -> None:
    checked = 0
    for printed in figures(["Table 3"], statistic="mean"):
        rows = [each for each in figures(PER_TASK, model=printed.model) if each.group == printed.group]
        own = [each for each in rows if category(each.name) == printed.name]
        if printed.level == "category" and not printed.remark:
            assert fmean(float(each.value) for each in own) == pytest.approx(float(printed.value), abs=0.11), printed
            assert fmean(float(each.std) for each in own) == pytest.approx(float(printed.std), abs=0.11), printed
            checked += 1
    assert checked == 40 - 10  # those of BBL-QA have a remark


def test_the_overall_column_of_table_3_is_the_mean_of_the_others() -> None:
    for model in MODELS:
        for group in ("observed", "unobserved"):
            row = [each for each in figures(["Table 3"], model=model, statistic="mean") if each.group == group]
            *four, overall = row
            assert (len(four), overall.name) == (4, "Overall")
            assert fmean(float(each.value) for each in four) == pytest.approx(float(overall.value), abs=0.11)
            if model != "Alpaca-13B":  # 14.0 is printed where the four Stds have a mean of 4.9
                assert fmean(float(each.std) for each in four) == pytest.approx(float(overall.std), abs=0.11)


def test_tables_that_print_the_same_models_agree() -> None:
    for one, other in (("Table 21", "Table 22"), ("Table 23", "Table 24"), ("Table 25", "Table 26")):
        for model in ("Flan-T5-XL", "Flan-T5-XXL"):
            first = {(each.name, each.group): each.shown for each in figures([one], model=model)}
            assert first == {(each.name, each.group): each.shown for each in figures([other], model=model)}


def test_table_9_overall_is_the_mean_of_the_seven_data_sets() -> None:
    for group in ("closest", "incorrect", "collected", "task_designer", "negated", "nonsensical"):
        *tasks, overall = [each for each in figures(["Table 9"]) if each.group == group]
        assert len(tasks) == 7
        assert fmean(float(each.value) for each in tasks) == pytest.approx(float(overall.value), abs=0.11)


def test_every_task_of_a_figure_is_one_of_ours() -> None:
    every = figures([*PER_TASK, "Table 9", *(f"Table {number}" for number in range(27, 31))])
    tasks = {each.name for each in every if each.level == "task"}
    assert {task.removeprefix("bbl/") for task in tasks} - {"mmlu"} <= set(KNOWN)


def test_a_figure_becomes_rows_that_say_where_it_is_printed() -> None:
    (figure,) = [
        each for each in figures(["Table 3"], model="T0++", statistic="mean")
        if (each.name, each.group) == ("BBL-BC", "observed")
    ]  # fmt: skip
    mean, std = figure.rows()
    assert isinstance(mean, ResultRow)
    assert (mean.run, mean.category, mean.group, mean.estimate, mean.unit) == (
        "published: T0++", "BBL-BC", "observed", 66.1, "%",
    )  # fmt: skip
    assert mean.method == "published: Table 3, T0++ 11B, OBSERVED"
    assert (std.statistic, std.estimate) == ("std", 2.1)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("google/flan-t5-xl", "Flan-T5-XL"),
        ("/models/flan-t5-3b/", "Flan-T5-XL"),
        ("Flan-T5-XXL", "Flan-T5-XXL"),
        ("bigscience/T0pp", "T0++"),
        ("pocket", None),
    ],
)
def test_models_of_the_paper_are_known_by_their_usual_names(name: str, known: str | None) -> None:
    assert published_model(name) == known


def test_sizes_are_the_papers() -> None:
    assert published_parameters("flan-t5-small") == 80_000_000
    assert published_parameters("pocket") is None


def test_remarks_are_given_once_for_each_table_and_model() -> None:
    said = remarks(figures(["Table 3"], model="Flan-T5-XL"))
    assert said == [
        "Table 3, Flan-T5-XL, BBL-QA: does not follow from the paper's Table 21",
        "Table 3, Flan-T5-XL, Overall: contains the BBL-QA column, which does not follow from Table 21",
    ]


def test_averages_of_table_12_are_the_means_of_the_two_groups() -> None:
    averages = figures(["Table 12"], statistic="average")
    assert len(averages) == 3 * 2
    for average in averages:
        pair = [each for each in figures(["Table 12"], statistic="mean") if each.row == average.row]
        assert [each.group for each in pair] == ["observed", "unobserved"]
        assert fmean(float(each.value) for each in pair) == pytest.approx(float(average.value), abs=0.051)


def test_tables_that_print_pt_kl_agree() -> None:
    last = {each.group: each.value for each in figures(["Table 12"]) if each.row == "GPT-4, MMLU"}
    assert {each.group: each.value for each in figures(["Table 16"]) if each.row == "PT + KL"} == {
        "observed": last["observed"],
        "unobserved": last["unobserved"],
    }


def test_table_17_gives_the_two_differences_that_the_text_names() -> None:
    rows = figures(["Table 17"])
    assert len(rows) == 4 * 6
    for name, difference in (("Baseline", 8.0), ("PT + KL", 7.1)):
        cells = {each.group: float(each.value) for each in rows if each.row == name}
        assert cells["incorrect"] - cells["task_designer"] == pytest.approx(difference)


def test_lengths_have_no_percent_sign() -> None:
    units = {row.unit for each in figures(["Table 13"]) for row in each.rows()}
    assert units == {"tokens", "%"}
