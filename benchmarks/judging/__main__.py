"""`python -m benchmarks.judging`: a real model judges its own summaries; the figures of docs/real-model.md.

10 notes under 4 wordings into `runs/judged`; then ROUGE-2, grades and pairs are compared with `labels.csv`: grades that
one author gave by the shipped rubric `summary`, before seeing any grade of the judge. A label of a pair is 1, 0.5 or 0
where the label of the text is above, equal to or below that of the text which it is compared with.
"""

from __future__ import annotations

import csv
from pathlib import Path

import phraseproof
from phraseproof.analysis.label_agreement import Label, label_agreement
from phraseproof.analysis.position_bias import position_bias
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.judged_pairs import pair_lines

HERE = Path(__file__).parent
OUT = Path("runs/judged")
MODEL = "smollm2"
COMPARED_WITH = "everyday-four/one-sentence"
GRADES, PAIRS = (f"judge:{HERE / name}@{MODEL}" for name in ("brief.yaml", "better.yaml"))


def main() -> None:
    """Evaluate what is missing, and print every metric's values, agreement and position bias."""
    for metric in ("rouge2", GRADES, PAIRS):  # pairs need the stored texts of the run itself
        run = phraseproof.evaluate(
            MODEL, "everyday/notes", {"four": str(HERE / "wordings.yaml")}, OUT, limit=10, metric=metric
        )
    with (HERE / "labels.csv").open(encoding="utf-8", newline="") as file:
        labels = [Label(row["example_id"], float(row["label"]), "", row["instruction"]) for row in csv.DictReader(file)]
    for metric, given in (("rouge2", labels), (GRADES, labels), (PAIRS, of_pairs(labels))):
        run = phraseproof.load_run(OUT).select(metric=metric)
        print(f"== {metric}: " + ", ".join(f"{row.instruction} {row.mean_score:.3f}" for row in run.wording_scores()))
        try:
            found = label_agreement(run, given)
        except NotEnoughDataError as error:
            print(error)
        else:
            for each in found.findings.values():
                print(f"{each.name} {each.estimate:.2f} [{each.low:.2f}, {each.high:.2f}], {each.n} texts")
        if (bias := position_bias(run)) is not None:
            print("\n".join(pair_lines(bias)))


def of_pairs(labels: list[Label]) -> list[Label]:
    """What people would say of each text and the one that it is compared with, from their grades of both."""
    others = {label.example_id: label.value for label in labels if label.instruction == COMPARED_WITH}
    return [
        label._replace(value=(label.value > others[label.example_id]) + 0.5 * (label.value == others[label.example_id]))
        for label in labels
        if label.instruction != COMPARED_WITH
    ]


if __name__ == "__main__":
    main()
