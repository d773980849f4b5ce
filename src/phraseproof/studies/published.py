"""The figures that the paper prints, as data: `data/published.csv`, with the table and the row of each.

They are shown next to what is measured, and nothing is computed from them. A remark says where a figure disagrees with
another part of the paper or with the accuracies that the authors released.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultRow

PUBLISHED: Final = "published"
"""The scoring of rows with printed figures."""


class PublishedFigure(NamedTuple):
    """One printed figure.

    Attributes:
        source, row: the table and its row, as printed.
        model: the model's name, the same in all tables; empty where a figure is of several.
        level: `task`, `category`, `overall` or `collection`.
        name: of the task (as in `phraseproof tasks list`), of the category, `Overall`, or of the collection.
        group: of wordings; empty where the figure is of several.
        metric: what it is in.
        statistic: `mean`, `difference`, `gap`, ...
        value, std: as printed, so with the printed number of digits; `std` is empty where none is printed.
        remark: where the figure disagrees with other figures; empty if it does not.
    """

    source: str
    row: str
    model: str
    level: str
    name: str
    group: str
    num_fewshot: int
    metric: str
    statistic: str
    value: str
    std: str
    remark: str

    @property
    def shown(self) -> str:
        """`48.1 ± 0.3`, as a table shows it."""
        return f"{self.value} ± {self.std}" if self.std else self.value

    def rows(self) -> list[ResultRow]:
        """The figure, and its Std where one is printed, as rows of a result table."""
        found = [(self.statistic, self.value)] + ([("std", self.std)] if self.std else [])
        in_points = self.statistic in {"difference", "difference from the base", "gap"}
        percent = self.metric in {"accuracy", "rouge2", "bertscore"}
        unit = ("points" if in_points else "%") if percent else ""
        unit = self.metric if self.metric == "tokens" else unit
        unit = {"hours": "h", "CO2": "kg"}.get(self.statistic, unit)
        unit = "" if self.statistic in {"slope", "p", "r squared", "p below 0.05", "distance"} else unit
        level = Level(self.level) if self.level in {"task", "category", "overall"} else Level.TASK
        return [
            ResultRow(
                run=f"published: {self.model or self.source}",
                num_fewshot=self.num_fewshot,
                scoring=PUBLISHED,
                level=level,
                category=self.name if level is Level.CATEGORY else "",
                task=self.name if level is Level.TASK else "",
                group=self.group,
                statistic=statistic,
                estimate=float(value),
                method=f"published: {self.source}, {self.row}" + (f"; {self.remark}" if self.remark else ""),
                unit=unit,
            )
            for statistic, value in found
        ]


class _PublishedModel(NamedTuple):
    name: str
    aliases: tuple[str, ...]
    parameters: int


def figures(
    sources: Collection[str], *, model: str | None = None, statistic: str | None = None
) -> list[PublishedFigure]:
    """The figures of some tables, in the order of the paper.

    Args:
        sources: such as `Table 3`.
        model: only those of this model, as `published_model` names it.
        statistic: only those of this statistic.
    """
    return [
        each
        for each in _all()
        if each.source in sources and model in {None, each.model} and statistic in {None, each.statistic}
    ]


def remarks(printed: Iterable[PublishedFigure]) -> list[str]:
    """Where figures disagree with others, a sentence for each table, model and remark."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for each in printed:
        if each.remark:
            found.setdefault((each.source, each.model, each.remark), {})[each.name] = None
    return [
        f"{', '.join(filter(None, (source, model)))}, {', '.join(names)}: {remark}"
        for (source, model, remark), names in found.items()
    ]


def published_model(name: str) -> str | None:
    """The paper's name of a model, from a hub id, a folder or an imported name; `None` for a model not in the paper."""
    last = name.casefold().replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return next((each.name for each in _models() if last in {each.name.casefold(), *each.aliases}), None)


def published_parameters(name: str) -> int | None:
    """The size of a model of the paper, as the paper gives it."""
    known = published_model(name)
    return next((each.parameters for each in _models() if each.name == known), None)


@cache
def _all() -> tuple[PublishedFigure, ...]:
    return tuple(
        PublishedFigure(**{**row, "num_fewshot": int(row["num_fewshot"])})  # pyright: ignore[reportArgumentType] - the other columns are texts
        for row in _rows("published.csv")
    )


@cache
def _models() -> tuple[_PublishedModel, ...]:
    return tuple(
        _PublishedModel(row["name"], tuple(row["aliases"].split()), round(float(row["parameters"])))
        for row in _rows("models.csv")
    )


def _rows(file: str) -> list[dict[str, str]]:
    text = (resources.files("phraseproof") / "studies" / "data" / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
