"""BIG-bench from the hub: `hails/bigbench`, the plain Parquet copy that lm-evaluation-harness uses too.

Configuration `TASK_zero_shot`, split `default` (all examples), columns `inputs`, `targets`, `multiple_choice_targets`,
`multiple_choice_scores`. What the task's own JSON has and the hub lacks:

* `inputs` is the designer's whole prompt, not the bare input: task prefix, input, listed options (in random order) and
  answer cue. `extract_inputs` recovers the input from what all rows share; where that fails, `question` is the text as
  served, and a warning says so. A task whose input prefix is neither a separate line nor BIG-bench's `Q: ` keeps
  that prefix.
* Subtasks come pooled and unnamed. They can be distinguished only if their numbers of options differ (`OPTION_COUNTS`).
* Credits are whole numbers: a fraction in the JSON is lost.
* White space at the ends of the prompt (the recovered designer's wording has one space before the answer), comments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from phraseproof.errors import TaskError
from phraseproof.tasks import hub
from phraseproof.tasks.bigbench_prompt import PromptFrame
from phraseproof.tasks.kinds import options_missing

HUB_ID = "hails/bigbench"
SPLIT = "default"
COLUMNS = ("inputs", "multiple_choice_targets", "multiple_choice_scores")

OPTION_COUNTS = {
    "logical_deduction": {"three_objects": 3, "five_objects": 5, "seven_objects": 7},
    "strange_stories": {"boolean": 2, "multiple_choice": 4},
}
"""The number of options by which a subtask is known among the pooled rows."""

INPUT_MARKS = {"empirical_judgments": "Sentence: ", "strange_stories": "Context: "}
"""The text before an input on its own line, if it is not BIG-bench's default."""

CHOICE_PREFIXES = (PromptFrame().choice_prefix, "\n option: ", " option: ")


class HubExample(NamedTuple):
    """One row of the hub, with the bare input."""

    question: str
    choices: tuple[str, ...]
    scores: tuple[float, ...]


class HubTask(NamedTuple):
    """A task's rows, in the hub's order; `frame` is `None` if it cannot be separated from the inputs."""

    examples: list[HubExample]
    frame: PromptFrame | None
    place: str


class ExtractedInputs(NamedTuple):
    """The bare inputs, and the text around each of them."""

    questions: list[str]
    frame: PromptFrame


def load_from_hub(task: str, config: str, subtask: str | None, warn: Callable[[str], None]) -> HubTask:
    """The rows of one task, or of one subtask if the hub's rows can be distinguished.

    Args:
        config: the hub's name for the task, without `_zero_shot`.

    Raises:
        TaskError: the hub cannot be reached, lacks the task, pools the subtask, or the task has no options.
    """
    config = f"{config}_zero_shot"
    place = hub.describe(HUB_ID, config=config, split=SPLIT)
    count = OPTION_COUNTS.get(task, {}).get(subtask or "")
    if subtask and count is None:
        raise TaskError(
            f"the hub serves the subtasks of {task} pooled, so that {subtask!r} cannot be selected",
            where=place,
            hint="With a copy of BIG-bench's own files, pass --data-dir",
        )
    rows = [
        _checked(row, f"{place}, row {index}")
        for index, row in enumerate(hub.load_rows(HUB_ID, config=config, split=SPLIT))
    ]
    rows = [row for row in rows if count is None or len(row.choices) == count]
    if not rows:
        raise TaskError("no rows", where=place)
    extracted = extract_inputs(
        [row.question for row in rows], [row.choices for row in rows], INPUT_MARKS.get(task, "Q: ")
    )
    if extracted is None:
        warn(f"bbl/{task}: the hub's prompts could not be taken apart, so the field `question` holds them as served")
        return HubTask(rows, None, f"{place}, inputs as served")
    examples = [row._replace(question=question) for row, question in zip(rows, extracted.questions, strict=True)]
    return HubTask(examples, extracted.frame, place)


def extract_inputs(inputs: Sequence[str], choices: Sequence[Sequence[str]], mark: str) -> ExtractedInputs | None:
    """Remove the text that all inputs share: the lines before the input, its mark, the listed options, the answer cue.

    Args:
        inputs: the finished prompts of one task.
        choices: the options of each, in any order.
        mark: the text that may come before the input on its own line.

    Returns:
        `None` if the shared text cannot be determined: fewer than two different prompts, or an empty input.
    """
    if len(set(inputs)) < 2:
        return None
    shared = _shared_start(inputs)
    head = shared[: shared.rfind("\n") + 1]
    bodies = [text[len(head) :] for text in inputs]
    mark = mark if all(body.startswith(mark) for body in bodies) else ""
    bodies = [body[len(mark) :] for body in bodies]
    # The answer cue may share its last lines with all questions, so every possible cue is tried, the longest first.
    tails = list(_possible_tails(bodies))
    for tail in tails:
        for prefix in CHOICE_PREFIXES:
            peeled = [_peel(_cut(body, tail), options, prefix) for body, options in zip(bodies, choices, strict=True)]
            questions = [question for question in peeled if question]
            if len(questions) == len(bodies):
                return ExtractedInputs(questions, PromptFrame("", head + mark, tail + " ", prefix, append_choices=True))
    # No tail leaves the options at every prompt's end: the task does not list its options.
    questions = [_cut(body, tails[0]) for body in bodies]
    if not all(questions):
        return None
    return ExtractedInputs(questions, PromptFrame("", head + mark, tails[0] + " ", append_choices=False))


def _shared_start(texts: Sequence[str]) -> str:
    # The first and the last text in sorted order share the prefix of all texts.
    first, last = min(texts), max(texts)
    length = next(
        (index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:length]


def _possible_tails(bodies: Sequence[str]) -> Iterator[str]:
    """Whole last lines that all bodies share, the longest run first; at the end, no line at all."""
    shared = _shared_start([body[::-1] for body in bodies])[::-1]
    for index, character in enumerate(shared):
        if character == "\n":
            yield shared[index:]
    yield ""


def _cut(body: str, tail: str) -> str:
    return body.removesuffix(tail)


def _peel(body: str, choices: Sequence[str], prefix: str) -> str | None:
    """`body` without the list of all `choices` at its end, in whatever order they are listed; `None` if it has none."""
    # The longest match first: an option may end in the text of another.
    left = sorted(choices, key=len, reverse=True)
    while left:
        found = next((choice for choice in left if body.endswith(prefix + choice)), None)
        if found is None:
            return None
        body = body.removesuffix(prefix + found)
        left.remove(found)
    return body


def _checked(row: dict[str, Any], where: str) -> HubExample:
    for column in COLUMNS:
        if column not in row:
            raise TaskError(f"the column {column!r} is missing", got=", ".join(row), where=where)
    choices, scores = row["multiple_choice_targets"], row["multiple_choice_scores"]
    if not choices:
        raise options_missing("BIG-bench tasks without options are", where)
    if len(choices) != len(scores) or len(choices) < 2:
        raise TaskError(f"{len(choices)} options with {len(scores)} credits", where=where)
    return HubExample(row["inputs"], tuple(choices), tuple(float(score) for score in scores))
