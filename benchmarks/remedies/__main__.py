"""`python -m benchmarks.remedies`: methods of alignment on a real model, as in docs/real-model.md.

Six tasks are trained on, two others and three subjects of MMLU are only measured. Each task has its own wordings. The
report of `harden --methods` is printed, and then the accuracy by what a wording asks the model to write: a letter or
a number of an option, or its text. The same command continues a search that was stopped, and one with more methods or
seeds uses the trainings and runs that are there.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import phraseproof
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.calibrated import cross_fitted
from phraseproof.analysis.option_values import load_option_values, scores
from phraseproof.cli.progress import ProgressBar
from phraseproof.cli.terminal import print_result, screen
from phraseproof.cli.training_progress import TrainingBar
from phraseproof.core import Instruction, Task
from phraseproof.hardening import MethodSearch
from phraseproof.hardening.search_plan import MeasuredSet
from phraseproof.hardening.workplace import BASE_FOLDER
from phraseproof.instructions.collections import Collection, instructions_for, load_collection
from phraseproof.instructions.template import compile_instruction
from phraseproof.reduction.search_results import search_text
from phraseproof.store.queries import load_run
from phraseproof.tasks import load_tasks

TASKS = (
    *("bbl/intent_recognition", "bbl/empirical_judgments"),
    *("everyday/tickets", "everyday/reviews", "everyday/topics", "everyday/feelings"),
)
UNSEEN = ("everyday/questions", "everyday/requests")
CHECK = ("mmlu/marketing", "mmlu/high_school_psychology", "mmlu/high_school_biology")
COLLECTIONS = ("composed", "everyday-observed", "everyday-unobserved")
FURTHER = (str(Path(__file__).parent / "wordings.yaml"), "everyday-unobserved")
"""Collections for the tasks that are only measured."""
MAX_PAIRS, LIMIT, VALIDATION_LIMIT = 60, 30, 20


def main() -> None:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--data-dir", type=Path, required=True, help="the benchmarks' published files")
    parser.add_argument("--methods", default="lora+paft+choice")
    parser.add_argument("--rate", type=float, default=1e-3, help="of low-rank adapters")
    parser.add_argument("--prompt-rate", type=float, default=3e-3, help="of soft prompts")
    parser.add_argument("--steps", type=int, default=480)
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--no-refit", action="store_true", help="report the trainings that were compared")
    parser.add_argument("--report", choices=("best", "all"), default="best")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rates = {"lora": (given.rate,), "prompt": (given.prompt_rate,)}
    methods: list[str] = given.methods.split(",")
    trained = {"lora" if method.startswith("lora") else "prompt" for method in methods}
    with TrainingBar(quiet=False) as bar:
        found = phraseproof.compare_methods(
            given.model,
            load_tasks(list(TASKS), data_dir=given.data_dir),
            wordings_of(TASKS, COLLECTIONS, given.data_dir),
            given.out,
            methods=methods,
            rates={name: of for name, of in rates.items() if name in trained},
            alignment=AlignmentSettings(max_steps=given.steps, held_out_fraction=0.0),
            seeds=[int(seed) for seed in given.seeds.split(",")],
            unseen_tasks=load_tasks(list(UNSEEN), data_dir=given.data_dir),
            check=load_tasks(list(CHECK), data_dir=given.data_dir),
            further_instructions=wordings_of((*UNSEEN, *CHECK), FURTHER, given.data_dir),
            max_pairs=MAX_PAIRS,
            limit=LIMIT,
            validation_limit=VALIDATION_LIMIT,
            reported=given.report,
            refit=not given.no_refit,
            observer=ProgressBar(quiet=False),
            alignment_observer=bar,
        )
    print_result(search_text(found, screen()))
    for line in by_answer_form(found, given.out):
        print(line)


def wordings_of(tasks: tuple[str, ...], names: tuple[str, ...], data_dir: Path) -> list[Collection]:
    """The wordings of collections that are for these tasks, without those that are for any task of a kind."""
    loaded = load_tasks(list(tasks), data_dir=data_dir)
    return [replace(each, instructions=tuple(_own(each, loaded))) for each in map(load_collection, names)]


def _own(collection: Collection, tasks: list[Task]) -> list[Instruction]:
    served = (item for task in tasks for item in instructions_for(collection, task))
    return list(dict.fromkeys(item for item in served if not item.fallback))


def by_answer_form(search: MethodSearch, out: Path) -> Iterator[str]:
    """The mean accuracy of the wordings that ask for a letter or number, and of those that ask for a text."""
    labels = ("as it is", *(each.candidate.label for each in search.refitted))
    headings = [heading for label in labels for heading in (label, f"{label}, calibrated")]
    yield f"\n| set | the wording asks for | wordings | {' | '.join(headings)} |"
    yield "|---" * (3 + len(headings)) + "|"
    for on in search.plan.reported:
        name = f"{on.name}-{on.identity}"
        folders = [[out / BASE_FOLDER / name]]
        folders += [[training.folder.parent / name for training in each.trainings] for each in search.refitted]
        columns = [
            _means(on, of, search.settings.calibration if is_calibrated else None)
            for of in folders
            for is_calibrated in (False, True)
        ]
        for form, (count, _) in columns[0].items():
            yield f"| {on.name} | {form} | {count} | " + " | ".join(f"{100 * of[form][1]:.1f}" for of in columns) + " |"


def _means(on: MeasuredSet, folders: list[Path], calibration: str | None) -> dict[str, tuple[int, float]]:
    """By form the number of wordings on all tasks, and their mean accuracy over wordings and runs."""
    forms = {(task.name, item.name): form_of(item, task) for task in on.tasks for item in on.wordings[task.name]}
    found: dict[str, list[float]] = defaultdict(list)
    for folder in folders:
        for values in load_option_values(load_run(folder)):
            chosen = values.values if calibration is None else cross_fitted(values, calibration)
            for wording, mean in zip(values.wordings, scores(chosen, values).mean(axis=1), strict=True):
                found[forms[values.task, wording]].append(float(mean))
    return {form: (len(found[form]) // len(folders), fmean(found[form])) for form in sorted(found)}


def form_of(item: Instruction, task: Task) -> str:
    """What the wording asks for: an answer of one letter or digit, in brackets or not, is one of an option."""
    answers = compile_instruction(item).render_answers(task.examples[0])
    return "a letter or number" if all(len(answer.strip(" ().[]")) == 1 for answer in answers) else "a text"


if __name__ == "__main__":
    main()
