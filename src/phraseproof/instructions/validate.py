"""Check a collection, alone and on the examples of a task: errors, and warnings that may be intended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import InstructionError
from phraseproof.instructions.duplicates import repeated_wordings
from phraseproof.instructions.problems import Problem, problem_of
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import (
    ANSWER_BUILTINS,
    BUILTINS,
    CompiledInstruction,
    check_against,
    compile_instruction,
)

_TELLING = frozenset(
    (
        *("answer", "answers", "answerkey", "answer_key", "correct", "correct_answer", "correct_option", "gold"),
        *("highlights", "label", "labels", "output", "reference", "references", "solution", "summary", "target"),
        *("targets", "translation"),
    )
)
_GIVEN_AWAY = 0.9
_ENOUGH = 3
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LABEL_OF_ANSWER = {"{{ letter }}": "letter", "{{ letter | lower }}": "lower", "{{ index + 1 }}": "number"}
_PROMPT_PARTS = ("ask", "layout", "template")

_WHOLE = "lm_eval_"
"""The beginning of the names of fields that lm-evaluation-harness has made of a document's other fields."""


def validate(instructions: Sequence[Instruction], tasks: Sequence[Task] = ()) -> list[Problem]:
    """List the problems of wordings: those of each wording in order, then those of several wordings.

    Args:
        instructions: the wordings.
        tasks: tasks they serve; every wording is rendered for every example.
    """
    problems: list[Problem] = []
    compiled = [compile_instruction(each) for each in instructions]
    for each in compiled:
        alone = list(_alone(each, has_options=_may_have_options(each.instruction, tasks)))
        with_tasks = [problem for task in tasks for problem in _on_task(each, task)]
        # On a task the same kind of problem is reported with its details, so the general one would repeat it.
        known = {problem.kind for problem in with_tasks}
        problems += [problem for problem in alone if not tasks or problem.kind not in known]
        problems += with_tasks
    broken = {problem.wording for problem in problems if problem.kind == "template"}
    sound = [each for each in compiled if each.instruction.name not in broken]
    return problems + list(_unused(sound, tasks)) + list(repeated_wordings(instructions))


def _prompt_names(compiled: CompiledInstruction) -> set[str]:
    return {name for part in _PROMPT_PARTS for name in compiled.names_by_part.get(part, ())}


def _literal(wording: Instruction) -> str:
    """The text of a wording that does not depend on the example."""
    parts = (wording.ask, wording.layout, wording.template)
    return "\n".join(_CODE.sub(" ", part) for part in parts if part)


# ----------------------------------------------------------------------------------------------------- a wording alone


def _may_have_options(wording: Instruction, tasks: Sequence[Task]) -> bool:
    """Whether answers may name options: not where all tasks (or, without any, all served kinds) are free text."""
    if tasks:
        return any(task.kind.has_options for task in tasks)
    free_text = {kind.value for kind in Kind if not kind.has_options}
    return not wording.serves or not free_text.issuperset(wording.serves)


def _alone(compiled: CompiledInstruction, *, has_options: bool) -> Iterator[Problem]:
    wording = compiled.instruction
    names = _prompt_names(compiled)
    if not names - {"choice_count"}:
        yield problem_of(
            "error", "example", wording, "the prompt shows nothing of the example", "ask" if wording.ask else None
        )
    for part in _PROMPT_PARTS:
        for name in sorted(compiled.names_by_part.get(part, frozenset()) - set(BUILTINS)):
            if name.casefold() in _TELLING:
                yield problem_of(
                    "warning",
                    "gives-away",
                    wording,
                    f"the prompt shows the field {name!r}, which may hold the answer",
                    part,
                )
            if name in ANSWER_BUILTINS and part not in compiled.parts_of_option:
                yield problem_of("error", "template", wording, f"{name!r} is known only in answer", part)
    is_scored = has_options and wording.continuation is None  # else answers are names in results
    scored_by = _LABEL_OF_ANSWER.get(wording.answer) if is_scored else None
    if scored_by and compiled.labels and scored_by not in compiled.labels:
        labels = " and ".join(sorted(compiled.labels))
        yield problem_of(
            "error", "answers", wording, f"options are labelled by {labels} and answered by {scored_by}", "answer"
        )
    elif scored_by and names.isdisjoint(("choices", "letters")) and not _spells_labels(wording, scored_by):
        yield problem_of(
            "error", "options", wording, f"options are answered by {scored_by}, and the prompt shows none", "answer"
        )


def _spells_labels(wording: Instruction, scored_by: str) -> bool:
    """Whether labels are written by hand (`A. {{ option_a }}`)."""
    first, second = {"letter": ("A", "B"), "lower": ("a", "b"), "number": ("1", "2")}[scored_by]
    text = _literal(wording)
    return all(re.search(rf"(?<!\w){label}(?!\w)", text) for label in (first, second))


# ----------------------------------------------------------------------------------------------------------- on a task


class _RenderedExample(NamedTuple):
    example: Example
    text: str
    options: tuple[str, ...]


def _on_task(compiled: CompiledInstruction, task: Task) -> Iterator[Problem]:
    wording = compiled.instruction
    try:
        check_against(wording, task)
        rendered = [_render(compiled, example) for example in task.examples]
    except InstructionError as error:
        message = error.problem + (f". {error.hint}" if error.hint else "")
        yield Problem("error", "template", wording.name, error.where or wording.name, message)
        return
    if compiled.instruction.continuation is None:  # else each option has a prompt, and none shows all
        yield from _options(compiled, rendered, task)
        yield from _given_away(compiled, rendered, task)


def _render(compiled: CompiledInstruction, example: Example) -> _RenderedExample:
    prompt = build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
    return _RenderedExample(example, prompt.text, prompt.options)


def _options(compiled: CompiledInstruction, rendered: Sequence[_RenderedExample], task: Task) -> Iterator[Problem]:
    """Options that the prompt does not show, and answers that are not among the options it shows."""
    wording = compiled.instruction
    with_options = [each for each in rendered if each.options]
    if not with_options or _LABEL_OF_ANSWER.get(wording.answer) in compiled.labels:
        return
    shows_choices = sum(all(_holds(each.text, choice) for choice in each.example.choices) for each in with_options)
    shows_answers = sum(all(_holds(each.text, option) for option in each.options) for each in with_options)
    if shows_answers == len(with_options):
        return
    if _LABEL_OF_ANSWER.get(wording.answer):
        if shows_choices == 0:
            yield problem_of(
                "error", "options", wording, f"{task.name}: answers are labels, and the options are not shown", "answer"
            )
        return
    if shows_choices == len(with_options):
        sample = next(each for each in with_options if not all(_holds(each.text, option) for option in each.options))
        missing = next(option for option in sample.options if not _holds(sample.text, option))
        message = f"{task.name}: the answers are not the options that the prompt offers: {missing!r} is not among them"
        yield problem_of("error", "answers", wording, message, "answer")
    elif shows_choices == 0 and shows_answers == 0:
        yield problem_of("warning", "options", wording, f"{task.name}: the options are not shown")


def _given_away(compiled: CompiledInstruction, rendered: Sequence[_RenderedExample], task: Task) -> Iterator[Problem]:
    wording = compiled.instruction
    shown = _prompt_names(compiled) - set(BUILTINS)
    for name in sorted(shown):
        telling = sum(_tells(each, name) for each in rendered)
        if len(rendered) >= _ENOUGH and telling >= _GIVEN_AWAY * len(rendered):
            part = next(part for part in _PROMPT_PARTS if name in compiled.names_by_part.get(part, ()))
            message = f"{task.name}: the prompt gives the answer away: the field {name!r} holds it"
            yield problem_of("error", "gives-away", wording, message, part)
    choices = {each.example.choices for each in rendered}
    if len(choices) == 1 and "choices" not in _prompt_names(compiled):
        fixed = next(iter(choices))
        text = _literal(wording).casefold()
        named = [choice for choice in fixed if _holds(text, choice.casefold())]
        if len(named) == 1 and len(fixed) > 1:
            message = f"{task.name}: of the options, only {named[0]!r} is named"
            yield problem_of("warning", "gives-away", wording, message)


def _tells(rendered: _RenderedExample, name: str) -> bool:
    """Whether a field holds nothing but the answer: its text, its label, its place, or a reference text."""
    example = rendered.example
    value = example.fields.get(name)
    if value is None:
        return False
    text = str(value).strip().casefold()
    if example.references and not example.choices:
        return bool(text) and text in {reference.strip().casefold() for reference in example.references}
    if not example.option_scores or not rendered.options:
        return False
    answers = {rendered.options[example.target], example.choices[example.target]}
    return text in {answer.strip().casefold() for answer in answers}


def holds_answers(name: str, task: Task) -> bool:
    """Whether a field holds the answer, so that no prompt should show it."""
    telling = [_tells(_RenderedExample(each, "", each.choices), name) for each in task.examples]
    return len(telling) >= _ENOUGH and sum(telling) >= _GIVEN_AWAY * len(telling)


def _holds(text: str, part: str) -> bool:
    """Whether a text contains a part that is not within a longer word."""
    place = text.find(part)
    while place >= 0:
        before, after = text[max(0, place - 1) : place], text[place + len(part) : place + len(part) + 1]
        starts = not (before.isalnum() and part[:1].isalnum())
        ends = not (after.isalnum() and part[-1:].isalnum())
        if starts and ends:
            return True
        place = text.find(part, place + 1)
    return False


def _unused(compiled: Sequence[CompiledInstruction], tasks: Sequence[Task]) -> Iterator[Problem]:
    """Fields of a task that some wordings show and others do not: the others give the model less information."""
    compiled = [each for each in compiled if not any(name.startswith(_WHOLE) for name in each.fields)]
    for task in tasks:
        fields = {name for example in task.examples for name in example.fields}
        fields = {name for name in fields if not holds_answers(name, task) and not name.startswith(_WHOLE)}
        for each in compiled:
            unused = sorted(fields - each.fields)
            shown_by_some = [name for name in unused if any(name in other.fields for other in compiled)]
            if shown_by_some and len(unused) < len(fields):
                names = ", ".join(map(repr, shown_by_some))
                yield problem_of(
                    "warning", "unused-field", each.instruction, f"{task.name}: the prompt leaves out {names}"
                )
        nowhere = sorted(name for name in fields if not any(name in each.fields for each in compiled))
        if nowhere and compiled:
            first = compiled[0].instruction
            names = ", ".join(map(repr, nowhere))
            yield Problem(
                "warning", "unused-field", first.collection, first.collection, f"{task.name}: no wording shows {names}"
            )
