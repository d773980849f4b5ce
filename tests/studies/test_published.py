"""The typed figures of the paper agree with one another wherever no remark says that they do not."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

import pytest

from phraseproof.analysis.results import ResultRow
from phraseproof.studies.published import PublishedFigure, figures, published_model, published_parameters, remarks
from phraseproof.tasks.bigbench import CATEGORIES, KNOWN

PER_TASK = ("Table 19", "Table 21", "Table 23", "Table 25")
PER_SIZE = ("Table 20", "Table 22", "Table 24", "Table 26")
PER_STEP = ("Table 31", "Table 32")
GROUPS = ("observed", "unobserved")


def category(task: str) -> str:
    return "MMLU" if task == "mmlu" else CATEGORIES[KNOWN[task.removeprefix("bbl/")].kind]


class Check(NamedTuple):
    """A printed number and what the paper's other tables give, which are rounded to 0.1 as well."""

    figure: PublishedFigure
    printed: str
    computed: float
    rounding: float = 0.1

    @property
    def follows(self) -> bool:
        return abs(float(self.printed) - self.computed) < self.rounding + 1e-9


def parts(sources: Collection[str], model: str, name: str, group: str) -> list[PublishedFigure]:
    """The figures of single data sets of a category."""
    return [each for each in figures(sources, model=model) if (category(each.name), each.group) == (name, group)]


def mean(found: Iterable[PublishedFigure]) -> float:
    return fmean(float(each.value) for each in found)


def mean_std(found: Iterable[PublishedFigure]) -> float:
    return fmean(float(each.std) for each in found if each.std)


def gap(sources: Collection[str], model: str, name: str) -> float:
    return mean(parts(sources, model, name, "observed")) - mean(parts(sources, model, name, "unobserved"))


def table_3() -> Iterator[Check]:
    means = figures(["Table 3"], statistic="mean")
    for each in means:
        if each.level == "category":
            own = parts(PER_TASK, each.model, each.name, each.group)
        else:
            own = [row for row in means if (row.model, row.group, row.level) == (each.model, each.group, "category")]
        yield Check(each, each.value, mean(own))
        yield Check(each, each.std, mean_std(own))
    for each in figures(["Table 3"], statistic="difference"):
        if each.level == "category":
            yield Check(each, each.value, -gap(PER_TASK, each.model, each.name), 0.15)
        else:
            observed, unobserved = (row for row in means if (row.model, row.name) == (each.model, each.name))
            yield Check(each, each.value, float(unobserved.value) - float(observed.value), 0.15)


def table_5() -> Iterator[Check]:
    for each in figures(["Table 5"], statistic="difference"):
        yield Check(each, each.value, -gap(PER_TASK, each.model, each.name), 0.15)


def table_9() -> Iterator[Check]:
    for each in figures(["Table 9"]):
        if each.level == "overall":
            rows = [row for row in figures(["Table 9"]) if (row.group, row.level) == (each.group, "task")]
            assert len(rows) == 7
            yield Check(each, each.value, mean(rows))
            if each.std:
                yield Check(each, each.std, mean_std(rows))


def table_10() -> Iterator[Check]:
    """Averages of two groups; and, of the base and of PT+KL, the means over the 14 tasks of Tables 31 and 32."""
    printed = figures(["Table 10"])
    for each in printed:
        method = each.row.partition(",")[0]
        key = (each.model, method, each.name)
        if each.statistic == "average":
            same = [row for row in printed if (row.model, row.row.partition(",")[0], row.name) == key]
            groups = [row for row in same if row.group]
            assert len(groups) == 2
            yield Check(each, each.value, mean(groups))
            yield Check(each, each.std, mean_std(groups))
        elif each.name == "BBL" and method in {"Flan-T5-3B", "Alpaca-7B", "PT+KL"}:
            step = "Aligned" if method == "PT+KL" else "Baseline"
            rows = [
                row
                for row in figures(PER_STEP, model=each.model, statistic="mean")
                if row.group == each.group and row.name != "mmlu"
            ]
            rows = [row for row in rows if step in row.row]
            assert len(rows) == 14
            yield Check(each, each.value, mean(rows))


def table_14() -> Iterator[Check]:
    printed = {
        (each.model, each.name, each.metric, each.group): each for each in figures(["Table 14"], statistic="mean")
    }
    for each in figures(["Table 14"], statistic="difference"):
        observed, unobserved = (printed[each.model, each.name, each.metric, group] for group in GROUPS)
        yield Check(each, each.value, float(unobserved.value) - float(observed.value), 0.15)


def table_31_and_32() -> Iterator[Check]:
    """Averages of two groups, and the mean changes of a benchmark's tasks; how their Stds are made is not said."""
    for each in figures(PER_STEP, statistic="average"):
        step = each.row.removesuffix("Avg.")
        groups = [row for row in figures(PER_STEP, model=each.model, statistic="mean") if row.row.startswith(step)]
        assert [row.group for row in groups] == list(GROUPS)
        yield Check(each, each.value, mean(groups))
        yield Check(each, each.std, mean_std(groups))
    for each in figures(PER_STEP, statistic="difference from the base"):
        kind = "mean" if each.group else "average"
        rows = [
            row
            for row in figures(PER_STEP, model=each.model, statistic=kind)
            if (category(row.name), row.group) == (each.name, each.group)
        ]
        before, after = ([row for row in rows if step in row.row] for step in ("Baseline", "Aligned"))
        assert len(before) == len(after) == len(rows) / 2
        yield Check(each, each.value, mean(after) - mean(before), 0.15)


def table_15() -> Iterator[Check]:
    """Without three demonstrations, and Alpaca with one, which are in no other table; aligned models as in Table 10."""
    for each in figures(["Table 15"]):
        if "Aligned" in each.row:
            both = [
                row for row in figures(["Table 10"], model=each.model, statistic="mean")
                if row.row.startswith("PT+KL, MMLU")
            ]  # fmt: skip
            observed, unobserved = both
            if each.statistic == "gap":
                yield Check(each, each.value, float(observed.value) - float(unobserved.value), 0.15)
            else:
                yield Check(each, each.value, mean(both))
                yield Check(each, each.std, mean_std(both))
            continue
        source = "Table 19" if each.num_fewshot == 0 else "Table 27"
        both = figures([source], model=each.model)
        if each.num_fewshot == 3 or not both:
            continue
        if each.statistic == "gap":
            observed, unobserved = both
            yield Check(each, each.value, float(observed.value) - float(unobserved.value), 0.15)
        else:
            yield Check(each, each.value, mean(both))
            yield Check(each, each.std, mean_std(both))


def table_18() -> Iterator[Check]:
    for each in figures(["Table 18"]):
        if each.model != "Flan-UL2":  # in no other table
            yield Check(each, each.value, gap(PER_SIZE, each.model, each.name), 0.15)


@pytest.mark.parametrize("table", [table_3, table_5, table_9, table_10, table_14, table_15, table_18, table_31_and_32])
def test_a_remark_says_where_a_figure_does_not_follow_from_other_tables_and_only_there(
    table: Callable[[], Iterator[Check]],
) -> None:
    checks = list(table())
    contradicted = {check.figure for check in checks if not check.follows}
    inherited = "contains the BBL-QA column, which does not follow from Table 21"
    assert checks
    assert contradicted == {check.figure for check in checks if check.figure.remark.removeprefix(inherited)}


def test_a_remark_gives_what_the_rows_of_the_other_table_give() -> None:
    checked = 0
    for check in (*table_3(), *table_5(), *table_9(), *table_10(), *table_18()):
        given = re.search("(?:whose rows give|have a mean of|of the rows above,) (.*)", check.figure.remark)
        if given is not None and not check.follows:
            numbers = [float(number) for number in re.findall(r"[-+]?[0-9]+[.][0-9]", given[1])]
            assert min(abs(number - check.computed) for number in numbers) < 0.1, check
            checked += 1
    assert checked == 23 + 1 + 4 + 10 + 7


def test_figures_of_single_data_sets_follow_from_the_released_accuracies_or_say_what_these_give(
    shared_data: Path,
) -> None:
    accuracies: dict[tuple[str, str, str, int], dict[tuple[str, ...], list[float]]] = {}
    for file in sorted((shared_data / "paper" / "results").glob("*-flan-t5-*.csv")):
        for row in csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()):
            group = "unobserved" if row["Type"] in {"Unobserved", "Default"} else "observed"
            key = (row["Model"], row["Dataset"].casefold(), group, int(row["Shots"]))
            of_wording = accuracies.setdefault(key, {}).setdefault((row["Collection"], row["Type"], row["ID"]), [])
            of_wording.append(100 * float(row["Performance"]))
    checked = 0
    for printed in figures([f"Table {number}" for number in range(19, 31)]):
        task = printed.name.removeprefix("bbl/")
        found = [
            [fmean(each) for each in wordings.values()]
            for (model, dataset, group, shots), wordings in accuracies.items()
            if (model, group, shots) == (printed.model, printed.group, printed.num_fewshot)
            and (dataset.startswith(task) or task.startswith(dataset))
        ]
        if found:
            (of_wordings,) = found
            given = f"{fmean(of_wordings):.1f} ± {stdev(of_wordings):.1f}"
            assert printed.remark == ("" if given == printed.shown else f"the released wordings give {given}"), printed
            checked += 1
    assert checked == 60 + 150 + 26  # of Tables 19, 21, 23, 25; of 20, 22, 24, 26; of 28 to 30


def test_tables_that_print_the_same_models_agree() -> None:
    for one, other in (("Table 21", "Table 22"), ("Table 23", "Table 24"), ("Table 25", "Table 26")):
        for model in ("Flan-T5-XL", "Flan-T5-XXL"):
            first = {(each.name, each.group): each.shown for each in figures([one], model=model)}
            assert first == {(each.name, each.group): each.shown for each in figures([other], model=model)}


def test_the_base_of_tables_31_and_32_is_that_of_table_3_or_a_remark_says_that_it_differs() -> None:
    before = {(each.model, each.name, each.group): each for each in figures(PER_TASK)}
    base = [each for each in figures(PER_STEP, statistic="mean") if "Baseline" in each.row]
    assert len(base) == 2 * 15 * 2
    for each in base:
        other = before[each.model, each.name, each.group]
        assert each.remark == ("" if each.shown == other.shown else f"differs from {other.source}"), each


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
        "Table 3, Flan-T5-XL, BBL-QA: does not follow from Table 21, whose rows give 59.0 ± 1.9, 56.2 ± 5.6 and -2.8",
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


def test_every_row_of_table_14_has_its_difference() -> None:
    means, differences = (figures(["Table 14"], statistic=name) for name in ("mean", "difference"))
    assert len(differences) == 8 * 8 - 2  # T0 was not tested on translations
    assert len(means) == 2 * len(differences)


def test_the_stds_of_aligned_averages_in_tables_31_and_32_are_those_of_the_baseline() -> None:
    averages = {(each.model, each.row): each for each in figures(PER_STEP, statistic="average")}
    assert len(averages) == 2 * 2 * 15
    aligned = [each for (_, row), each in averages.items() if "Aligned" in row]
    for each in aligned:
        assert each.std == averages[each.model, each.row.replace("Aligned", "Baseline")].std
    assert sum("its Std is the one of the baseline" in each.remark for each in aligned) == 27


def test_table_11_agrees_with_tables_10_and_15() -> None:
    """Where they print the same: the models as they are, and after aligning."""
    rows = {(each.row, each.statistic): each for each in figures(["Table 11"])}
    for model, name in (("Flan-T5-XL", "Flan-T5-XL (3B)"), ("Alpaca-7B", "Alpaca (7B)")):
        aligned = f"{name.partition(' ')[0]}, aligning with new paraphrases"
        of_15 = {(each.row, each.statistic): each.value for each in figures(["Table 15"], model=model)}
        for row, other in ((name, f"{model}, 0-shot"), (aligned, f"{model}, 0-shot + Aligned")):
            assert rows[row, "average"].value == of_15[other, "average"]
            assert rows[row, "difference"].value == f"-{of_15[other, 'gap']}"
        trained = f"{name.partition(' ')[0]}, training with new paraphrases"
        for statistic in ("tokens", "parameters"):
            assert float(rows[trained, statistic].value) > 10 * float(rows[aligned, statistic].value)
