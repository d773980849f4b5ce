"""`python -m benchmarks.remedies.wrong_labels`: the KL term on a real model whose reference is good.

SmolLM2 on two everyday tasks, under wordings that ask for the text of the answer: the model is right there, after
calibration, in 60% or more. A share of the labels of training and validation examples is replaced by a wrong answer,
drawn again for every seed; test labels are right. Methods without labels are trained once per seed. All methods have
the same number of steps and of prompts per step. Soft prompts have the rate, of several, with the highest accuracy on
validation, for the first seed.

Every training prints a line as it ends. Tables of what is there so far follow after each share of the first seed, and
after each further seed. The same command
continues a benchmark that was stopped.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.pocket.changed_pairs import with_wrong_label
from benchmarks.pocket.measures import Column, gain_over_all, header, in_points, row
from benchmarks.remedies.__main__ import form_of
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.grids import load_grids
from phraseproof.core import Task
from phraseproof.hardening.candidates import candidates_of
from phraseproof.hardening.judged_runs import judge_runs
from phraseproof.hardening.lessons import Lessons
from phraseproof.hardening.search import ranking_set
from phraseproof.hardening.search_plan import SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.splits import divide_in_three
from phraseproof.hardening.workplace import Training, Workplace
from phraseproof.instructions.collections import Collection, instructions_for, load_collection
from phraseproof.models import ModelOptions
from phraseproof.store.queries import Run
from phraseproof.tasks import load_tasks

TASKS = ("everyday/topics", "everyday/questions")
COLLECTIONS = ("everyday-observed", "everyday-unobserved", "composed")
FOUR_PROMPTS = ":gradient_accumulation=2:paraphrases_per_batch=1"
"""Two pairs per step, each under its reference and one paraphrase; other methods read four pairs in one wording."""
TEST = Column("test", "test")


class Way(NamedTuple):
    """A method: its name in tables, as `harden --methods` writes it, and whether it uses labels."""

    name: str
    method: str
    uses_labels: bool = True


PT, PT_KL = Way("PT", f"pt{FOUR_PROMPTS}"), Way("PT+KL", f"pt+kl{FOUR_PROMPTS}")
CHOICE = Way("lora+paft+choice", "lora+paft+choice")
WITH_LABELS = (PT, PT_KL, CHOICE)
WITHOUT_LABELS = (
    Way("KL alone", f"pt+kl:labels=none{FOUR_PROMPTS}", uses_labels=False),
    Way("lora+paft+choice@ensemble", "lora+paft+choice@ensemble", uses_labels=False),
)
ALL = {way.name: way for way in (*WITH_LABELS, *WITHOUT_LABELS)}


class Found(NamedTuple):
    """What a training got on the test set."""

    training: Training
    run: Run


class Share:
    """A share of wrong labels with one seed: its tasks, and the trainings on them in their own folder."""

    def __init__(self, given: argparse.Namespace, wrong: float, seed: int) -> None:
        self.wrong, self.seed = wrong, seed
        self._rates = {"prompt": tuple(map(float, given.prompt_rates.split(","))), "lora": (given.rate,)}
        self._alignment = AlignmentSettings(max_steps=given.steps, held_out_fraction=0.0)
        settings = SearchSettings(
            (CHOICE.method,),
            max_pairs=given.pairs,
            limit=given.limit,
            validation_limit=given.validation_limit,
            refit=False,
        )
        tasks = [with_wrong_labels(task, wrong, settings, seed) for task in load_tasks(list(TASKS))]
        self.plan: SearchPlan = plan_search(SearchInput(tasks, text_wordings(tasks)), settings)
        folder = given.out / (f"wrong-{wrong:g}-{seed}" if wrong else "clean")
        self.place = Workplace(given.model, ModelOptions(), folder, prompt_format="auto", observers=(None, None))
        self._ranking = ranking_set(self.plan, settings)
        self._lessons = Lessons(self.place, self._ranking, max_pairs=settings.max_pairs, seed=settings.seed)

    @property
    def base(self) -> Run:
        return self.place.measure(self.plan.test)

    def references(self) -> str:
        """The references of labelled pairs, and how often each is right on the training examples, by their labels."""
        rows = self.place.measure(self._ranking).wording_scores()
        scores = {(each.task, each.instruction): each.mean_score for each in rows}
        (candidate,) = candidates_of([CHOICE.method], {"lora": (1e-3,)}, self._alignment)
        found = self._lessons.pairs(self.plan.training, candidate).references
        return ", ".join(f"{name} {scores[task, name]:.1%}" for task, names in found.items() for name in names)

    def trained(self, way: Way, rate: float | None) -> Found:
        """Train a method and measure it on the test set; without a rate, that with the best validation is taken."""
        trains = "lora" if way.method.startswith("lora") else "prompt"
        rates = {trains: self._rates[trains] if rate is None else (rate,)}
        candidates = candidates_of([way.method], rates, self._alignment)
        trainings = [
            self.place.train(each, self.seed, self._lessons.pairs(self.plan.training, each).pairs)
            for each in candidates
        ]
        best = trainings[0]
        if len(trainings) > 1:
            accuracy = [_mean(self.place.measure(self.plan.validation, each)) for each in trainings]
            best = trainings[accuracy.index(max(accuracy))]
            by_rate = {f"{each.rate:g}": f"{of:.1%}" for each, of in zip(candidates, accuracy, strict=True)}
            print(f"{self.wrong:.0%} wrong, {way.name}: on validation {by_rate}", flush=True)
        run = self.place.measure(self.plan.test, best)
        print(
            f"seed {self.seed}, {self.wrong:.0%} wrong, {way.name} at {best.candidate.rate:g}: {_mean(run):.1%} on "
            f"test, {best.cost.prompts} prompts, {best.seconds:.0f} s",
            flush=True,
        )
        return Found(best, run)


def with_wrong_labels(task: Task, share: float, settings: SearchSettings, seed: int) -> Task:
    """Another option as the right one of this share of a task's training and validation examples."""
    task = replace(task, demonstrations=())  # which count in the division
    sides = divide_in_three(task, settings.example_shares, settings.seed)
    ids = [each.id for each in (*sides.training.examples, *sides.validation.examples)]
    draw = random.Random(f"wrong labels {task.name} {seed}")
    wrong = set(draw.sample(ids, round(share * len(ids))))
    examples = (with_wrong_label(each, draw) if each.id in wrong else each for each in task.examples)
    return replace(task, examples=tuple(examples))


def text_wordings(tasks: Sequence[Task]) -> list[Collection]:
    """The wordings of these tasks that ask for the text of an option."""
    found: list[Collection] = []
    for collection in map(load_collection, COLLECTIONS):
        own = [item for task in tasks for item in instructions_for(collection, task) if form_of(item, task) == "a text"]
        found.append(replace(collection, instructions=tuple(dict.fromkeys(own))))
    return found


def main() -> None:
    """Train and measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--wrong", default="0.3,0", help="shares of wrong labels, in the order of the trainings")
    parser.add_argument("--ways", default=",".join(ALL), help="separated by commas; default: %(default)s")
    parser.add_argument("--seeds", default="0,1", help="separated by commas")
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--pairs", type=int, default=60, help="of each task, at most")
    parser.add_argument("--limit", type=int, default=40, help="test examples of each task")
    parser.add_argument("--validation-limit", type=int, default=20, help="validation examples of each task")
    parser.add_argument("--rate", type=float, default=1e-3, help="of low-rank adapters")
    parser.add_argument("--prompt-rates", default="3e-3,1e-2", help="of soft prompts, to choose from")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if unknown := [name for name in given.ways.split(",") if name not in ALL]:
        raise SystemExit(f"--ways: {unknown[0]!r} is not one of: {', '.join(ALL)}")
    ways = [ALL[name] for name in given.ways.split(",")]
    wrong = [float(share) for share in given.wrong.split(",")]
    found: dict[tuple[Way, float], list[Found]] = {}
    seeds = [int(seed) for seed in given.seeds.split(",")]
    for seed in seeds:
        shares = {share: Share(given, share, seed) for share in dict.fromkeys([*wrong, 0.0])}
        for place, share in enumerate(wrong):
            print(f"{share:.0%} wrong, seed {seed}: references {shares[share].references()}", flush=True)
            for way in (way for way in ways if way.uses_labels or place == 0):
                of = share if way.uses_labels else 0.0
                runs = found.setdefault((way, of), [])
                runs.append(shares[of].trained(way, runs[0].training.candidate.rate if runs else None))
            # Every way has the same number of seeds only when a seed is complete; before, that is so in the first one.
            if seed == seeds[0] or share == wrong[-1]:
                print_tables(found, shares[0.0])


def print_tables(found: Mapping[tuple[Way, float], Sequence[Found]], clean: Share) -> None:
    """Accuracy and gains by method and share of wrong labels, and what the KL term adds."""
    named = {f"{way.name}, {share:.0%} wrong": [each.run for each in runs] for (way, share), runs in found.items()}
    judged = judge_runs("test", clean.base, named, calibration="batch", seed=0)
    print(f"\n{header(['accuracy', 'worst wording', 'gain', 'over calibrated', *TASKS])}")
    for way in judged.summary.ways:
        name = way.way.name
        of_tasks = [
            f"{100 * each.accuracy:.1f}" for task in judged.tasks for each in task.ways if each.way.name == name
        ]
        gains = [way.gain_elsewhere.in_points, judged.gain_over_calibrated(name).in_points]
        print(row(name, [f"{100 * way.accuracy:.1f}", f"{100 * way.worst:.1f}", *gains, *of_tasks]))
    both = [share for way, share in found if way == PT and (PT_KL, share) in found]
    if both:
        print(f"\n{header(['PT+KL minus PT'])}")
    for share in both:
        grids = [[load_grids(each.run) for each in found[way, share]] for way in (PT, PT_KL)]
        print(row(f"{share:.0%} wrong labels", [in_points(gain_over_all(grids[0], grids[1], TEST))]), flush=True)


def _mean(run: Run) -> float:
    """The mean over tasks of the mean over wordings."""
    rows = run.wording_scores()
    of_tasks = {task: [each.mean_score for each in rows if each.task == task] for task in {each.task for each in rows}}
    return sum(sum(each) / len(each) for each in of_tasks.values()) / len(of_tasks)


if __name__ == "__main__":
    main()
