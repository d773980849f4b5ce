"""The trainings of `benchmarks.remedies.seeds`: their sets, and how one becomes a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.remedies.__main__ import CHECK, COLLECTIONS, FURTHER, TASKS, UNSEEN, form_of, wordings_of
from benchmarks.remedies.outcomes import Outcomes, read_record, write_outcomes
from benchmarks.remedies.protocol import (
    AS_IT_IS_FILE,
    LIMIT,
    MAX_PAIRS,
    MODEL,
    MOST_WORDINGS,
    RANKED,
    SEED,
    ProtocolMethod,
)
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.option_values import load_option_values
from phraseproof.analysis.reductions.run import CALIBRATION
from phraseproof.analysis.reductions.ways import AS_IT_IS
from phraseproof.core import Task
from phraseproof.hardening.candidates import Candidate, candidates_of
from phraseproof.hardening.lessons import Lessons, teaching_set
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.workplace import Training, Workplace
from phraseproof.identity import content_hash
from phraseproof.installed import versions
from phraseproof.models import ModelOptions
from phraseproof.tasks import load_tasks

_PACKAGES = ("phraseproof", "torch", "transformers", "peft")


class Trainer:
    """Trains and measures what the protocol asks for.

    Args:
        data_dir: the benchmarks' published files.
        work: receives runs and trainings.
        outcomes: the folder of the files.
    """

    def __init__(self, data_dir: Path, work: Path, outcomes: Path) -> None:
        self._plan: SearchPlan = search_plan(data_dir)
        self._place = Workplace(MODEL, ModelOptions(), work, prompt_format="auto", observers=(None, None))
        self._lessons = Lessons(self._place, ranking_set(self._plan), max_pairs=MAX_PAIRS, seed=SEED)
        self._outcomes = outcomes
        self._protocol = protocol_hash(self._plan)

    def measure_base(self) -> None:
        """Measure the model as it is, if there is no file of it."""
        path = self._outcomes / AS_IT_IS_FILE
        if not self._is_there(path):
            self._write(path, {"method": AS_IT_IS}, None)

    def train(self, method: ProtocolMethod, seed: int) -> None:
        """Train and measure a method, if there is no file of it."""
        path = self._outcomes / method.file_name(seed)
        if self._is_there(path):
            method.require_made(read_record(path), self._protocol, path)
            return
        pairs = self._lessons.pairs(self._plan.training, candidate_of(method)).pairs
        training = self._place.train(candidate_of(method), seed, pairs)
        record = {
            "method": method.name,
            "written": method.written,
            "rate": method.rate,
            "seed": seed,
            **training.cost._asdict(),
            "seconds": round(training.seconds, 1),
            "pairs": content_hash([pair.identity(with_options=True) for pair in pairs]),
        }
        self._write(path, record, training)
        print(f"{method.name}, seed {seed}: {training.seconds:.0f} s, {path.name}", flush=True)

    def _write(self, path: Path, record: Mapping[str, object], training: Training | None) -> None:
        runs = {on.name: self._place.measure(on, training) for on in self._plan.reported}
        record = {**record, "protocol": self._protocol, "versions": versions(_PACKAGES)}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_outcomes(
            path, Outcomes(record, {name: load_option_values(run) for name, run in runs.items()}), CALIBRATION
        )

    def _is_there(self, path: Path) -> bool:
        if not path.exists():
            return False
        if (found := read_record(path)["protocol"]) != self._protocol:
            raise SystemExit(
                f"{path}: of another protocol ({found}, here {self._protocol}). Give another folder with --outcomes, "
                "and another one with --work"
            )
        return True


def search_plan(data_dir: Path) -> SearchPlan:
    """The sets of `benchmarks.remedies`, with the first wordings of each task in those that are measured."""

    def tasks(names: tuple[str, ...]) -> list[Task]:
        return load_tasks(list(names), data_dir=data_dir)

    given = SearchInput(
        tasks(TASKS),
        wordings_of(TASKS, COLLECTIONS, data_dir),
        tasks(UNSEEN),
        tasks(CHECK),
        wordings_of((*UNSEEN, *CHECK), FURTHER, data_dir),
    )
    settings = SearchSettings(("lora+paft+choice",), limit=LIMIT, validation_limit=LIMIT, refit=False, seed=SEED)
    plan = plan_search(given, settings)
    few = {on.name: _first(on) for on in plan.reported}
    return plan._replace(test=few["test"], unseen=few["unseen"], check=few["check"])


def answer_forms(data_dir: Path) -> dict[tuple[str, str], str]:
    """By task and wording of the measured sets what the wording asks for, a text or a letter or number.

    Args:
        data_dir: the benchmarks' published files.
    """
    return {
        (task.name, item.name): form_of(item, task)
        for on in search_plan(data_dir).reported
        for task in on.tasks
        for item in on.wordings[task.name]
    }


def _first(on: MeasuredSet) -> MeasuredSet:
    return on._replace(wordings={task: items[: MOST_WORDINGS[on.name]] for task, items in on.wordings.items()})


def ranking_set(plan: SearchPlan) -> MeasuredSet:
    """Training examples and training wordings by which references are chosen: a part of what teachers answer."""
    return teaching_set(plan.training, RANKED, SEED)


def candidate_of(method: ProtocolMethod) -> Candidate:
    """What is trained."""
    alignment = AlignmentSettings(max_steps=method.steps, held_out_fraction=0.0)
    (found,) = candidates_of([method.written], {"": (method.rate,)}, alignment, seed=SEED)
    return found


def protocol_hash(plan: SearchPlan) -> str:
    """Differs between outcomes that cannot be compared. Methods and budgets are in the record of each training."""
    sets = [plan.training, *plan.reported]
    examples = [sorted(task.examples, key=lambda each: each.id) for on in sets for task in on.tasks]
    return content_hash([MODEL, [on.identity for on in sets], examples, MAX_PAIRS, RANKED, CALIBRATION, SEED])
