"""Complete grids, large enough for budgets, of the pocket's models: 50 wordings on new questions.

    python -m benchmarks.budget.grids --out runs/grids [--questions 1600] [--models pocket,pocket/small-t5]
    python -m benchmarks.budget --run runs/grids/pocket --share 5,10,20 --repeats 20

The shipped questions are 100 per task. Here the pocket's world makes new ones, none of them shipped: of a single
attribute (`choose-maker`), and of all eight in turn (`choose-all`), where a wording may read well with one attribute
and badly with another. Wordings are all correct ones there are: observed, paraphrases, validation and test. Each model
has a run folder; stored cells are not computed again.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from phraseproof.core import Example, Task
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.wordings import sentence
from phraseproof.pocket.world import ask
from phraseproof.tasks import load_tasks

COLLECTIONS = ("pocket-observed", "pocket-paraphrase", "pocket-validation", "pocket-test")
ALL = "all"
GRIDS = ("choose-maker", "choose-all", "label-all", "has-all")


def fresh(kind: str, attributes: list[str], count: int) -> list[tuple[str, Example]]:
    """`count` questions of a kind, attributes in turn, none of them shipped and no two equal; with their categories."""
    draw = random.Random(f"budget grids {kind} {' '.join(attributes)}")
    shipped = {name: load_tasks([f"pocket/{kind}-{name}"])[0] for name in attributes}
    seen = {
        (example.fields["note"], example.choices)
        for task in shipped.values()
        for example in (*task.examples, *task.demonstrations)
    }
    found: list[tuple[str, Example]] = []
    while len(found) < count:
        attribute = attributes[len(found) % len(attributes)]
        question = ask(kind, attribute, draw)
        pattern = shipped[attribute].examples[0]
        choices = question.choices if kind == "choose" else pattern.choices
        note = sentence(question.note).lower()
        if (note, choices) in seen:
            continue
        seen.add((note, choices))
        scores = tuple(float(choice == question.answer) for choice in choices)
        fields = {**pattern.fields, "note": note}
        found.append((shipped[attribute].category, Example(f"fresh-{len(found)}", fields, choices, scores)))
    return found


def fresh_task(name: str, count: int) -> Task:
    kind, _, attribute = name.partition("-")
    attributes = list(ATTRIBUTES) if attribute == ALL else [attribute]
    pattern = load_tasks([f"pocket/{kind}-{attributes[0]}"])[0]
    found = fresh(kind, attributes, count)
    return Task(f"fresh/{name}", pattern.kind, found[0][0], tuple(example for _, example in found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1600)
    parser.add_argument("--models", default="pocket,pocket/small-t5")
    parser.add_argument("--grids", default=",".join(GRIDS), help="KIND-ATTRIBUTE or KIND-all, with commas")
    asked = parser.parse_args()
    tasks = [fresh_task(name, asked.questions) for name in asked.grids.split(",")]
    for model in asked.models.split(","):
        run = evaluate(model, tasks, {"wordings": ",".join(COLLECTIONS)}, asked.out / model.replace("/", "-"))
        print(f"{run.path}: {len(run.cells) - len(run.missing)} of {len(run.cells)} cells", flush=True)


if __name__ == "__main__":
    main()
