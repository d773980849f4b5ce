"""What a model would see of a wording, what would be scored, and what is wrong with it: shown while a person writes.

The text is a stranger's: it is rendered in the sandbox of all templates, with a smaller budget of work and on few
examples, so that one preview takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from jinja2.exceptions import TemplateSyntaxError

from phraseproof.collect.composition import compose, field_names
from phraseproof.collect.records import Form, Shots
from phraseproof.core import Example, Prompt, Task
from phraseproof.errors import InstructionError, TaskError
from phraseproof.instructions.fingerprint import fingerprint
from phraseproof.instructions.problems import Level
from phraseproof.instructions.render import build_prompt, draw_demonstrations
from phraseproof.instructions.similarity import WordPairIndex
from phraseproof.instructions.template import BUILTINS, CompiledInstruction, compile_instruction
from phraseproof.instructions.validate import validate
from phraseproof.templates.compiled_template import COMPILE_ERRORS, compile_source
from phraseproof.templates.work_budget import limited

MAX_CHARACTERS = 6_000
"""The maximum length of a text that is rendered."""
MAX_WORK = 300_000
"""Units of work per rendering (`templates/work_budget.py`): some hundredths of a second."""
CHECKED_EXAMPLES = 12
"""The number of examples on which a wording is checked."""
MAX_SHOWN = 5_000
"""The number of characters of one prompt that are shown."""
SIMILAR = 0.5
"""The ROUGE-2 from which another wording is shown as similar."""
MOST_SIMILAR = 3
"""The number of similar wordings that are shown."""


@dataclass(frozen=True, slots=True)
class PreviewPrompt:
    """One example as a model would see it.

    Attributes:
        example_id: the example.
        text: the prompt, at most `MAX_SHOWN` characters of its beginning and end.
        is_cut: whether `text` leaves out the middle.
        options: the answers that would be scored, in order; empty for free text.
        target: the index of the right one; `None` for free text.
        reference: the expected text; `None` where there are options.
    """

    example_id: str
    text: str
    is_cut: bool
    options: tuple[str, ...]
    target: int | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class PreviewProblem:
    """Something to look at.

    Attributes:
        level: `error` makes the wording unusable, `warning` may be intended.
        kind: `empty`, `too-long`, `unknown-field`, or a kind of `instructions.problems.Problem`.
        message: what is wrong, in English.
        name: the unknown field.
        suggestion: the known field that it resembles; else empty.
    """

    level: Level
    kind: str
    message: str
    name: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class SimilarWording:
    """Another wording: its text, its ROUGE-2 from 0 to 1, and whether only spacing and letter case differ."""

    text: str
    rouge2: float
    is_same: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown of one text.

    Attributes:
        prompts: the rendered examples; empty where the wording cannot be rendered.
        problems: errors first.
        similar: similar wordings, the most similar first.
    """

    prompts: tuple[PreviewPrompt, ...]
    problems: tuple[PreviewProblem, ...]
    similar: tuple[SimilarWording, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there is no error."""
        return all(problem.level != "error" for problem in self.problems)


def preview_of(
    task: Task,
    text: str,
    kind: Shots,
    *,
    answer: str | None = None,
    form: Form = "ask",
    others: Sequence[str] = (),
    examples: int = 2,
) -> Preview:
    """Render a text on a task's first examples, and check it. Never raises for what the text is.

    Args:
        task: the task.
        text: what the person wrote.
        kind: a few-shot prompt has one solved example before the one that is asked.
        answer: how options are answered: `letter`, `text`, a template, or `None` for the labels in the text.
        form: what the text is: an ask, which the task's usual layout follows, or the whole prompt.
        others: texts of the task's other wordings.
        examples: the number of examples that are rendered.
    """
    if not text.strip():
        return Preview((), (PreviewProblem("error", "empty", "nothing is written yet"),), ())
    if len(text) > MAX_CHARACTERS:
        message = f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are rendered"
        return Preview((), (PreviewProblem("error", "too-long", message),), ())
    similar = similar_wordings(text, WordPairIndex(others)) if others else ()
    few = replace(task, examples=task.examples[:CHECKED_EXAMPLES])
    with limited(MAX_WORK):
        if unknown := _unknown_names(few, text):
            return Preview((), tuple(_unknown(few, name) for name in unknown), similar)
        try:
            compiled = compile_instruction(compose(few, text, form, answer=answer))
            prompts = tuple(_prompt(compiled, each, _solved(task, each, kind)) for each in few.examples[:examples])
            problems = tuple(_problems(compiled, few))
        except InstructionError as error:
            return Preview((), (PreviewProblem("error", "template", _in_short(error)),), similar)
    return Preview(prompts, tuple(sorted(problems, key=lambda problem: problem.level)), similar)


def similar_wordings(text: str, others: WordPairIndex, *, without: Container[int] = ()) -> tuple[SimilarWording, ...]:
    """The wordings that resemble a text, the most similar first; equal texts are listed once.

    Args:
        text: the text.
        others: the wordings that it is compared with.
        without: indices of those that do not count.
    """
    own = fingerprint(text)
    scored = sorted(
        ((score, index) for index, score in others.similar_to(text) if index not in without), key=lambda one: -one[0]
    )
    found: dict[str, SimilarWording] = {}
    for score, index in scored:
        other = others.texts[index]
        is_same = fingerprint(other) == own
        if len(found) == MOST_SIMILAR or (score < SIMILAR and not is_same):
            break
        found.setdefault(other, SimilarWording(other, score, is_same))
    return tuple(found.values())


def _unknown_names(task: Task, text: str) -> tuple[str, ...]:
    """The names in double braces that no example has; none where the text is not a template."""
    try:
        compiled = compile_source(text)
    except (TemplateSyntaxError, *COMPILE_ERRORS):
        return ()
    known = {*BUILTINS, "range", *(name for example in task.examples for name in example.fields)}
    return tuple(sorted(compiled.names - compiled.optional - known))


def _solved(task: Task, example: Example, kind: Shots) -> tuple[Example, ...]:
    if kind == "zero-shot":
        return ()
    try:
        return draw_demonstrations(task, example, 1, seed=0)
    except TaskError:  # a task of a single example has none to show
        return ()


def _prompt(compiled: CompiledInstruction, example: Example, solved: Sequence[Example]) -> PreviewPrompt:
    prompt = build_prompt(compiled, example, demonstrations=solved, prompt_format="plain")
    return PreviewPrompt(
        example_id=example.id,
        text=_shortened(prompt),
        is_cut=len(prompt.text) > MAX_SHOWN,
        options=prompt.options,
        target=example.target if prompt.options and example.option_scores else None,
        reference=example.reference,
    )


def _shortened(prompt: Prompt) -> str:
    text = prompt.text
    half = MAX_SHOWN // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}\n[…]\n{text[-half:]}"


def _problems(compiled: CompiledInstruction, task: Task) -> Iterator[PreviewProblem]:
    for problem in validate([compiled.instruction], [task]):
        yield PreviewProblem(problem.level, problem.kind, problem.message.removeprefix(f"{task.name}: "))


def _unknown(task: Task, name: str) -> PreviewProblem:
    known = [*field_names(task), *BUILTINS]
    suggestion = next(iter(get_close_matches(name, known, n=1)), "")
    message = f"no field is called {name!r}; the fields are {', '.join(field_names(task))}"
    return PreviewProblem("error", "unknown-field", message, name=name, suggestion=suggestion)


def _in_short(error: InstructionError) -> str:
    """What is wrong, without the name and the place that a draft does not have."""
    return error.problem.partition("': ")[2] or error.problem if error.problem.startswith("wording ") else error.problem
