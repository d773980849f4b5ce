"""Runs for tests of studies: imported accuracies with means that can be computed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.evaluation.published import import_published, read_published
from phraseproof.store.queries import Run

RESULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "paper" / "results"
"""The paper's released accuracies of wordings, where they are on this machine."""

SIZES = {"small": 80e6, "base": 250e6, "large": 780e6, "xl": 3e9, "xxl": 11e9}


def imported(
    folder: Path,
    accuracies: Mapping[tuple[str, str], Sequence[float]],
    *,
    model: str = "Some-Model",
    parameters: int | None = None,
    shots: int = 0,
) -> Run:
    """A run of imported accuracies.

    Args:
        accuracies: of the wordings of each (data set, type), as fractions. The types `QA` and the like are observed.
    """
    lines = ["Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?"]
    lines += [
        f"{model},{dataset},C,{kind},{number},{shots},{value},accuracy,TRUE"
        for (dataset, kind), values in accuracies.items()
        for number, value in enumerate(values)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "accuracies.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return import_published(read_published([file]), folder / "run", parameters=parameters)


def four_tasks(folder: Path, **options: object) -> Run:
    """Two tasks of one category and one of each of two others.

    Means observed / unobserved: strategyqa .60 / .50, winowhy .80 / .60, mmlu .40 / .40, vitaminc .70 / .60. So
    BBL-BC is .70 / .55, and overall (MMLU, BBL-BC, BBL-MC) .60 / .51667.
    """
    return imported(
        folder,
        {
            ("StrategyQA", "BC"): (0.55, 0.65),
            ("StrategyQA", "Unobserved"): (0.45, 0.55),
            ("Winowhy", "BC"): (0.8, 0.8),
            ("Winowhy", "Unobserved"): (0.5, 0.7),
            ("MMLU_General", "QA"): (0.38, 0.42),
            ("MMLU_General", "Unobserved"): (0.35, 0.45),
            ("Vitaminc_Fact_Verification", "MC"): (0.7, 0.7),
            ("Vitaminc_Fact_Verification", "Unobserved"): (0.6, 0.6),
        },
        **options,  # type: ignore[arg-type]
    )


def released(folder: Path, size: str) -> Run:
    """The released accuracies of Flan-T5 of one size."""
    kind = "main" if size.startswith("x") else "scaling"
    files = [RESULTS / f"{kind}-{part}-flan-t5-{size}.csv" for part in ("mmlu", "bbl")]
    return import_published(read_published(files), folder / size, parameters=int(SIZES[size]))
