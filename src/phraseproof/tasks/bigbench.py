"""BIG-bench (Srivastava et al., 2022): JSON tasks with scored options, above all the 14 that the paper evaluates.

`bbl` is those 14, each a separate task in the category BBL-QA, BBL-BC or BBL-MC (paper, section 3); `bbl/TASK` and
`bbl/TASK/SUBTASK` are single tasks, and TASK may be any JSON task of BIG-bench that has `target_scores`.

* `question` is the JSON's `input` exactly as published. Where every input of a task visibly has parts, they are fields
  too (`context`, `query`, ...; see `PARTS`).
* Options and their credits are `target_scores` in published order, several best or fractional credits kept. In
  `REORDERED` tasks the published order gives the answer away (the best option is always first), so there, as in the
  paper's own code, options are put into another order: ours is fixed by a hash, not by the paper's random generator.
* A task with subtasks is their union. Two are not, following the paper's code: `bbl/strange_stories` is the subtask
  `boolean`, `bbl/logical_deduction` is `five_objects`. `Task.source` says so, and every subtask can be named.
* Local copies are BIG-bench's own folders of `task.json`. On the hub the task comes from `hails/bigbench`, which serves
  finished prompts; bigbench_hub.py extracts the inputs from them and says what the hub lacks.

A known difference from the paper's code: it gives logic_grid_puzzle the options 1 to 5 throughout, while many puzzles
have fewer houses; here a puzzle has its own published options.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import FileError, TaskError, UsageError
from phraseproof.files import load_json
from phraseproof.tasks import TaskListing
from phraseproof.tasks.bigbench_hub import HUB_ID, HubExample, load_from_hub
from phraseproof.tasks.bigbench_prompt import PromptFrame, designers_wording
from phraseproof.tasks.kinds import infer_kind, options_missing

CATEGORIES = {Kind.MULTIPLE_CHOICE: "BBL-QA", Kind.BINARY: "BBL-BC", Kind.MULTI_CLASS: "BBL-MC"}


class KnownTask(NamedTuple):
    """What is known about a task before its data are read."""

    kind: Kind
    about: str
    in_bbl: bool = True
    subtask: str | None = None
    """The one subtask that the plain name means; `None` is all of them."""


KNOWN = {
    "bbq_lite": KnownTask(Kind.MULTIPLE_CHOICE, "social bias in answers about ambiguous and unambiguous scenes"),
    "code_line_description": KnownTask(Kind.MULTIPLE_CHOICE, "what a few lines of Python do"),
    "hindu_knowledge": KnownTask(Kind.MULTIPLE_CHOICE, "Hindu mythology"),
    "known_unknowns": KnownTask(Kind.MULTIPLE_CHOICE, "whether an answer can be known at all"),
    "logical_deduction": KnownTask(Kind.MULTIPLE_CHOICE, "the order of five objects", subtask="five_objects"),
    "novel_concepts": KnownTask(Kind.MULTIPLE_CHOICE, "what a few things have in common"),
    "logic_grid_puzzle": KnownTask(Kind.MULTIPLE_CHOICE, "logic grid puzzles"),
    "conceptual_combinations": KnownTask(Kind.MULTIPLE_CHOICE, "what a combination of concepts means"),
    "play_dialog_same_or_different": KnownTask(Kind.BINARY, "whether two lines of a play have one speaker"),
    "strategyqa": KnownTask(Kind.BINARY, "yes or no questions with hidden reasoning steps"),
    "strange_stories": KnownTask(Kind.BINARY, "social understanding of short stories", subtask="boolean"),
    "winowhy": KnownTask(Kind.BINARY, "whether a reason given for a pronoun's meaning is right"),
    "language_identification": KnownTask(Kind.MULTI_CLASS, "the language of a sentence"),
    "vitaminc_fact_verification": KnownTask(Kind.MULTI_CLASS, "whether a passage supports a claim"),
    "intent_recognition": KnownTask(Kind.MULTI_CLASS, "what a user wants of an assistant", in_bbl=False),
    "empirical_judgments": KnownTask(Kind.MULTI_CLASS, "causal, correlative or neutral statements", in_bbl=False),
    "logical_sequence": KnownTask(Kind.MULTIPLE_CHOICE, "which list is in order", in_bbl=False),
    "crash_blossom": KnownTask(Kind.MULTI_CLASS, "a word's part of speech in an ambiguous headline", in_bbl=False),
    "epistemic_reasoning": KnownTask(Kind.BINARY, "whether one statement of belief entails another", in_bbl=False),
}
"""The 14 of the paper's main experiments, and the rest of the 7 of its closer look (paper, sections 3 and 4.5)."""

REORDERED = frozenset({"conceptual_combinations", "logical_sequence"})
FOLDERS = {"bbq_lite": "bbq_lite_json"}
"""Folders of BIG-bench whose names differ from the paper's task names; both names are accepted."""

PARTS = {
    "conceptual_combinations": re.compile(r"(?P<context>.*?) Question: (?P<query>.*)", re.DOTALL),
    "crash_blossom": re.compile(r"(?P<query>.*?) Sentence: (?P<context>.*)", re.DOTALL),
    "epistemic_reasoning": re.compile(r"Premise: (?P<premise>.*?) Hypothesis: (?P<hypothesis>.*)", re.DOTALL),
    "intent_recognition": re.compile(r"Utterance: (?P<utterance>.*)", re.DOTALL),
    "logic_grid_puzzle": re.compile(r"(?P<context>.*?)\n\n(?P<clues>.*?)\n\n(?P<query>.*)", re.DOTALL),
    "novel_concepts": re.compile(r"(?P<query>[^?]*\?) (?P<items>.*)", re.DOTALL),
    "strange_stories": re.compile(r"(?P<context>[^\n]*)\n(?:Q: )?(?P<query>.*)", re.DOTALL),
    "vitaminc_fact_verification": re.compile(r"(?P<context>.*)\nClaim:\s*(?P<claim>.*)", re.DOTALL),
    "winowhy": re.compile(r"(?P<context>.*?) (?P<explanation>The '.*)", re.DOTALL),
}
"""How the inputs of a task divide into fields; the fields are added only if every input of the task matches."""


class LoadedExamples(NamedTuple):
    """Examples as a source holds them, in published order, with the designer's wordings and where they came from."""

    examples: list[Example]
    instructions: tuple[Instruction, ...]
    place: str


def listings() -> list[TaskListing]:
    """`bbl`, its 14 tasks and the others of the paper's closer look."""
    source = f"hub {HUB_ID}"
    group = TaskListing("bbl", None, "", source, "the 14 BIG-bench tasks of the paper")
    return [
        group,
        *(
            TaskListing(f"bbl/{name}", known.kind, CATEGORIES[known.kind], source, known.about)
            for name, known in KNOWN.items()
        ),
    ]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The tasks that `bbl`, `bbl/TASK` or `bbl/TASK/SUBTASK` means.

    Raises:
        UsageError: a name that cannot be a task's.
        TaskError: the task is not there, or is not one with options.
        FileError: a `task.json` that is not in BIG-bench's format.
    """
    _, _, rest = name.partition("/")
    if rest:
        return [_load_one(rest, data_dir, warn)]
    names = [task for task, known in KNOWN.items() if known.in_bbl]
    if data_dir is None:
        return [_load_one(task, None, warn) for task in names]
    present = [task for task in names if _find(task, data_dir) is not None]
    absent = [task for task in names if task not in present]
    if not present:
        raise TaskError("none of the 14 BIG-bench tasks found", where=str(data_dir), hint=_looked("TASK", data_dir))
    if absent:
        warn(f"{data_dir} lacks {len(absent)} of the 14 tasks of bbl, which are left out: {', '.join(absent)}")
    return [_load_one(task, data_dir, warn) for task in present]


def _load_one(name: str, data_dir: Path | None, warn: Callable[[str], None]) -> Task:
    if not re.fullmatch(r"\w+(/\w+)?", name, re.ASCII):
        raise UsageError(f"'bbl/{name}' is not a task's name", expected="bbl/TASK or bbl/TASK/SUBTASK")
    task, _, subtask = name.partition("/")
    task = next((ours for ours, folder in FOLDERS.items() if folder == task), task)
    known = KNOWN.get(task)
    chosen = subtask or (known.subtask if known else None)
    full_name = f"bbl/{task}/{subtask}" if subtask else f"bbl/{task}"
    source = _from_hub(task, chosen, warn) if data_dir is None else _from_folder(task, chosen, data_dir)
    kind = known.kind if known and not subtask else infer_kind(source.examples)
    notes = [source.place]
    if chosen and not subtask:
        notes.append(f"the subtask {chosen}, as in the paper")
    if task in REORDERED:
        notes.append("options reordered, since the published order gives the answer away")
    elif _order_tells(source.examples):
        warn(f"{full_name}: the best option has the same position in every example, so letters give it away")
    return Task(
        name=full_name,
        kind=kind,
        category=CATEGORIES[kind],
        examples=tuple(_finished(task, source.examples)),
        instructions=source.instructions,
        source="; ".join(notes),
    )


def _finished(task: str, examples: Sequence[Example]) -> Iterable[Example]:
    """The examples with the fields of `PARTS` and the order of `REORDERED`."""
    pattern = PARTS.get(task)
    matches = [pattern.fullmatch(example.fields["question"]) if pattern else None for example in examples]
    have_parts = all(match is not None for match in matches)
    for example, match in zip(examples, matches, strict=True):
        fields = dict(example.fields)
        if match is not None and have_parts:
            fields |= match.groupdict()
        order = range(len(example.choices))
        if task in REORDERED:
            order = sorted(order, key=lambda index: _place(example.fields["question"], example.choices[index]))
        yield Example(
            id=example.id,
            fields=fields,
            choices=tuple(example.choices[index] for index in order),
            option_scores=tuple(example.option_scores[index] for index in order),
        )


def _place(question: str, choice: str) -> bytes:
    return blake2b(f"{question}\0{choice}".encode(), digest_size=16).digest()


def _order_tells(examples: Sequence[Example]) -> bool:
    """Whether one position is always right, in a task large enough that this is not chance."""
    return len(examples) >= 20 and len({example.target for example in examples}) == 1


# ------------------------------------------------------------------------------------------------------------ the hub


def _from_hub(task: str, subtask: str | None, warn: Callable[[str], None]) -> LoadedExamples:
    loaded = load_from_hub(task, FOLDERS.get(task, task), subtask, warn)
    prefix = f"{subtask}/" if subtask else ""
    examples = [_hub_example(f"{prefix}{index}", row) for index, row in enumerate(loaded.examples)]
    wording = designers_wording(loaded.frame, "hub", f"bbl/{task}", loaded.place) if loaded.frame else None
    return LoadedExamples(examples, (wording,) if wording else (), loaded.place)


def _hub_example(identifier: str, row: HubExample) -> Example:
    return Example(identifier, {"question": row.question}, row.choices, row.scores)


# --------------------------------------------------------------------------------------------------------- local files


def _places(task: str, data_dir: Path) -> list[Path]:
    folders = dict.fromkeys([task, FOLDERS.get(task, task)])
    parents = [data_dir / "bbl", data_dir, data_dir / "bigbench" / "benchmark_tasks"]
    return [parent / folder for parent in parents for folder in folders]


def _find(task: str, data_dir: Path) -> Path | None:
    return next((place for place in _places(task, data_dir) if (place / "task.json").is_file()), None)


def _looked(task: str, data_dir: Path) -> str:
    return f"Looked for {', '.join(f'{place}/task.json' for place in _places(task, data_dir))}"


def _from_folder(task: str, subtask: str | None, data_dir: Path) -> LoadedExamples:
    folder = _find(task, data_dir)
    if folder is None:
        raise TaskError(f"no data for 'bbl/{task}'", where=str(data_dir), hint=_looked(task, data_dir))
    files = _subtask_files(folder, subtask)
    examples: list[Example] = []
    wordings: dict[PromptFrame, Instruction] = {}
    for name, path in files.items():
        data = _read(path)
        frame = _frame(data, path)
        wordings[frame] = designers_wording(frame, "json", f"bbl/{task}", str(path))
        rows = cast(list[object], data["examples"])
        for index, row in enumerate(rows):
            examples.append(_example(f"{name}/{index}" if name else str(index), row, f"{path}, examples[{index}]"))
    # Subtasks worded differently have no one wording for their union; each has its own under its own name.
    instructions = tuple(wordings.values()) if len(wordings) == 1 else ()
    return LoadedExamples(examples, instructions, str(next(iter(files.values())) if len(files) == 1 else folder))


def _subtask_files(folder: Path, subtask: str | None) -> dict[str, Path]:
    """The files that hold the wanted examples, by subtask; the key is empty where a task has no subtasks."""
    top = folder / "task.json"
    if "examples" in _read(top):
        if subtask:
            raise TaskError(f"the task {folder.name} has no subtasks", got=subtask, where=str(top))
        return {"": top}
    subtasks = {path.parent.name: path for path in sorted(folder.glob("*/task.json")) if "examples" in _read(path)}
    if not subtasks:
        raise FileError("no examples, neither here nor in subtask folders", where=str(top))
    if subtask is None:
        return subtasks
    if subtask not in subtasks:
        raise TaskError(f"no subtask {subtask!r}", expected=f"one of: {', '.join(subtasks)}", where=str(folder))
    return {subtask: subtasks[subtask]}


def _read(path: Path) -> dict[str, object]:
    data = load_json(path)
    if not isinstance(data, dict):
        raise FileError("not a BIG-bench task", expected="a JSON object", where=str(path))
    task = cast(dict[str, object], data)
    examples = task.get("examples", None)
    if "examples" in task and not (isinstance(examples, list) and examples):
        raise FileError("the task has no examples", where=str(path))
    return task


def _frame(data: Mapping[str, object], path: Path) -> PromptFrame:
    default = PromptFrame()
    texts: dict[str, str] = {}
    for field, key in (
        ("task_prefix", "task_prefix"),
        ("input_prefix", "example_input_prefix"),
        ("output_prefix", "example_output_prefix"),
        ("choice_prefix", "choice_prefix"),
    ):
        text = data.get(key, getattr(default, field))
        if not isinstance(text, str):
            raise FileError(f"{field} is not text", got=repr(text), where=str(path))
        texts[field] = text
    # One published file has the string "false" here. BIG-bench reads it as true, and so does this function.
    return PromptFrame(**texts, append_choices=bool(data.get("append_choices_to_input", True)))


def _example(identifier: str, row: object, where: str) -> Example:
    if not isinstance(row, dict):
        raise FileError("not an example", expected="an object", where=where)
    fields = cast(dict[str, object], row)
    question, scores = fields.get("input"), fields.get("target_scores")
    if not isinstance(question, str):
        raise FileError("the example has no `input` text", where=where)
    if scores is None and "target" in fields:
        raise options_missing("BIG-bench tasks without `target_scores` are", where)
    if not isinstance(scores, dict) or len(cast(dict[str, object], scores)) < 2:
        raise FileError("the example has no `target_scores` of two or more options", where=where)
    credit_of: dict[str, float] = {}
    for choice, credit in cast(dict[str, object], scores).items():
        if not isinstance(credit, int | float):
            raise FileError(f"the credit of {choice!r} is not a number", got=repr(credit), where=where)
        credit_of[choice] = float(credit)
    return Example(identifier, {"question": question}, tuple(credit_of), tuple(credit_of.values()))
