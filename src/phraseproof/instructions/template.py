"""The template language: a wording is compiled once and rendered for any number of examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NoReturn

from jinja2.exceptions import TemplateSyntaxError, UndefinedError

from phraseproof.core import Example, Instruction, Task
from phraseproof.errors import InstructionError
from phraseproof.templates.compiled_template import COMPILE_ERRORS, RENDER_ERRORS, Compiled, compile_source
from phraseproof.templates.filters import KNOWN_FILTERS, letter_of
from phraseproof.templates.sandbox import bounded_range

BUILTINS = ("choices", "letters", "choice_count")
"""The built-in names of every template, besides the example's fields."""
ANSWER_BUILTINS = ("choice", "letter", "index")
"""Further built-in names of an `answer` template: the option that it writes. Also of the layout, or of what is in its
place, where the options are in the prompt (`continuation`)."""

_REMEMBERED_ANSWERS = 4096
# A brace before a carriage return would join the braces of what replaces that.
_SPECIAL = re.compile(r"\{(?=[{%#\r]|\Z)|\r")


def compile_instruction(instruction: Instruction) -> CompiledInstruction:
    """Compile a wording's templates.

    Raises:
        InstructionError: a template is malformed or uses forbidden features, or the wording has no template.
    """
    if (instruction.ask is None) == (instruction.template is None):
        raise InstructionError("a wording has either an ask or a template", where=_where(instruction, None))
    if instruction.layout is not None and instruction.template is not None:
        raise InstructionError("a layout goes with an ask, not with a template", where=_where(instruction, None))
    if instruction.continuation is not None and instruction.layout is None and instruction.template is None:
        raise InstructionError(
            "a continuation needs a layout, or a template: the ask is the same for all options",
            where=_where(instruction, "continuation"),
        )
    return CompiledInstruction(instruction)


def check_against(instruction: Instruction, task: Task) -> None:
    """Check, before rendering, that a task has everything that a wording needs.

    Every name must be a field of every example or a built-in one; literal verbalisers must fit every example's choices,
    and prompts of several options (`continuation`) must differ.

    Raises:
        InstructionError: a name is undefined, a verbaliser does not fit the choices, a continuation is empty, or two
            options have the same prompt.
    """
    compiled = compile_instruction(instruction)
    for part, needed in compiled.names_by_part.items():
        builtins = (*BUILTINS, *ANSWER_BUILTINS) if part in compiled.parts_of_option else BUILTINS
        unknown = needed.difference(builtins)
        for example in task.examples if unknown else ():
            if not unknown <= example.fields.keys():
                _complain_of_name(min(unknown - example.fields.keys()), instruction, part, task, example)
    if compiled.label_words and "answer" in compiled.names_by_part:
        seen: set[tuple[str, ...]] = set()
        for example in task.examples:
            if example.choices not in seen:
                seen.add(example.choices)
                compiled.render_answers(example)
    if instruction.continuation is not None:
        for example in task.examples:
            compiled.render_continuation(example)
            compiled.render_contexts(example)


def literal(text: str) -> str:
    """A template that renders to exactly `text`, including its braces."""
    return _SPECIAL.sub(lambda match: '{{ "\\r" }}' if match.group() == "\r" else '{{ "{" }}', text)


def quoted(text: str) -> str:
    """`text` as a string within an expression of a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


class CompiledInstruction:
    """A wording whose templates are compiled.

    Attributes:
        instruction: the wording.
        fields: the names of the example fields that it needs, found without rendering.
        names_by_part: all names that each part (`system`, `ask`, `layout`, `template`, `continuation`, `answer`)
            needs, built-in ones too.
        parts_of_option: the parts that are rendered for each option, and know it.
        label_words: the literal lists and mappings by which the answer template writes choices.
        labels: the options' labels in the prompt (`letter`, `lower`, `number`, `roman`), as far as the source shows.
    """

    __slots__ = (
        *("fields", "instruction", "labels", "names_by_part", "label_words", "parts_of_option"),
        *("_answers", "_ask", "_continuation", "_layout", "_needs_choices", "_remembered", "_system", "_template"),
    )

    def __init__(self, instruction: Instruction) -> None:
        self.instruction = instruction
        self._system = _compile(instruction, "system", instruction.system)
        self._ask = _compile(instruction, "ask", instruction.ask)
        self._layout = _compile(instruction, "layout", instruction.layout)
        self._template = _compile(instruction, "template", instruction.template)
        self._continuation = _compile(instruction, "continuation", instruction.continuation)
        answer = _compile(instruction, "answer", instruction.answer)
        assert answer is not None
        self._answers = answer
        parts = {
            "system": self._system,
            "ask": self._ask,
            "layout": self._layout,
            "template": self._template,
            "continuation": self._continuation,
            "answer": answer,
        }
        self.parts_of_option = ("answer",) if instruction.continuation is None else ("layout", "template", "answer")
        self.names_by_part: Mapping[str, frozenset[str]] = {
            part: compiled.names - compiled.optional - {"range"} for part, compiled in parts.items() if compiled
        }
        needed = (
            names.difference(ANSWER_BUILTINS) if part in self.parts_of_option else names
            for part, names in self.names_by_part.items()
        )
        self.fields: frozenset[str] = frozenset[str]().union(*needed).difference(BUILTINS)
        self.label_words: tuple[object, ...] = answer.label_words
        prompt_parts = (self._ask, self._layout, self._template)
        self.labels: frozenset[str] = frozenset(label for part in prompt_parts if part for label in part.labels)
        # Answers are cached by what they depend on: the number of choices (letters) or the choices (texts). Answers
        # that read a field are not cached.
        self._remembered: dict[object, tuple[str, ...]] | None = None
        if answer.names <= {*BUILTINS, *ANSWER_BUILTINS, "range"}:
            self._remembered = {}
        self._needs_choices = not answer.names.isdisjoint(("choice", "choices"))

    def render_ask(self, example: Example) -> str:
        """Render the ask for an example.

        Raises:
            InstructionError: the template cannot be rendered; names the wording, the part and the example.
        """
        return self._render("ask", self._ask, example)

    def render_system(self, example: Example) -> str | None:
        """The system prompt for this example, or `None`. Raises as `render_ask` does."""
        return None if self._system is None else self._render("system", self._system, example)

    def render_layout(self, example: Example) -> str:
        """Render the layout for an example. Raises as `render_ask` does."""
        return self._render("layout", self._layout, example)

    def render_template(self, example: Example) -> str:
        """Render the template for an example. Raises as `render_ask` does."""
        return self._render("template", self._template, example)

    def render_contexts(self, example: Example) -> tuple[str, ...]:
        """Render the layout, or else the template, for every choice: what a `continuation` follows.

        Raises:
            InstructionError: one cannot be rendered, or different choices have the same text.
        """
        part, compiled = ("template", self._template) if self._layout is None else ("layout", self._layout)
        found = [self._render(part, compiled, example, option) for option in range(len(example.choices))]
        for index, text in enumerate(found):
            first = found.index(text)
            if example.choices[first] != example.choices[index]:
                self._fail(
                    f"choices {first + 1} and {index + 1} have the same prompt, so nothing compares them",
                    part,
                    example,
                    hint="Write {{ choice }} where the option belongs",
                )
        return tuple(found)

    def render_continuation(self, example: Example) -> str:
        """Render what is scored after the prompt. Raises as `render_ask` does, and where it is empty."""
        found = self._render("continuation", self._continuation, example)
        if not example.choices:
            self._fail("there are no options, which a continuation compares", "continuation", example)
        if not found.strip():
            self._fail("the continuation is empty", "continuation", example)
        return found

    def render_answers(self, example: Example) -> tuple[str, ...]:
        """Render every choice as an answer, in the order of the example's choices.

        Answers are distinguished by their text alone, so different choices must have different answers. (Some published
        examples have the same choice twice; both then have the same answer.)

        Raises:
            InstructionError: an answer cannot be rendered, is empty, or equals another choice's.
        """
        if self._remembered is None:
            return self._render_answers(example)
        key = example.choices if self._needs_choices else len(example.choices)
        answers = self._remembered.get(key)
        if answers is None:
            answers = self._render_answers(example)
            if len(self._remembered) >= _REMEMBERED_ANSWERS:
                self._remembered.clear()
            if len(set(answers)) == len(answers):
                self._remembered[key] = answers
        return answers

    def _render_answers(self, example: Example) -> tuple[str, ...]:
        seen = _seen(example)
        answers: list[str] = []
        for index in range(len(example.choices)):
            seen |= _option(example, index)
            answers.append(self._run("answer", self._answers, seen, example))
        for index, answer in enumerate(answers):
            if not answer.strip():
                self._fail(f"the answer for choice {index + 1} is empty", "answer", example)
            first = answers.index(answer)
            if example.choices[first] != example.choices[index]:
                self._fail(f"choices {first + 1} and {index + 1} have the same answer {answer!r}", "answer", example)
        return tuple(answers)

    def _render(self, part: str, compiled: Compiled | None, example: Example, option: int | None = None) -> str:
        if compiled is None:
            self._fail(f"the wording has no {part}", part, example)
        seen = _seen(example)
        return self._run(part, compiled, seen if option is None else seen | _option(example, option), example)

    def _run(self, part: str, compiled: Compiled, seen: dict[str, object], example: Example) -> str:
        try:
            return compiled.text(seen)
        except UndefinedError as error:
            # `check_against` finds missing fields before a run starts, so this is a missing item or attribute.
            hint = f"Known here: {', '.join(sorted(seen.keys() - {'range'}))}"
            self._fail(error.message or "something is undefined", part, example, hint=hint)
        except RENDER_ERRORS as error:
            message = getattr(error, "message", None) or str(error) or type(error).__name__
            self._fail(f"cannot be rendered: {message}", part, example)

    def _fail(self, problem: str, part: str, example: Example, *, hint: str | None = None) -> NoReturn:
        raise InstructionError(
            f"wording {self.instruction.name!r}, example {example.id!r}: {problem}",
            where=_where(self.instruction, part),
            hint=hint,
        ) from None


def _compile(instruction: Instruction, part: str, source: str | None) -> Compiled | None:
    if source is None:
        return None
    try:
        return compile_source(source)
    except TemplateSyntaxError as error:
        message = (error.message or "malformed").removesuffix(".")
        line = f" (line {error.lineno} of the template)" if "\n" in source.rstrip("\n") else ""
        hint = f"Known filters: {', '.join(sorted(KNOWN_FILTERS))}" if message.startswith("No filter named") else None
        problem = f"not a valid template: {message[:1].lower()}{message[1:]}{line}"
        raise InstructionError(problem, where=_where(instruction, part), hint=hint) from None
    except COMPILE_ERRORS as error:
        problem = f"not a valid template: {error or 'nested too deeply'}"
        raise InstructionError(problem, where=_where(instruction, part)) from None


def _seen(example: Example) -> dict[str, object]:
    count = len(example.choices)
    return {
        "range": bounded_range,
        **example.fields,
        "choices": list(example.choices),
        "letters": _letters(count),
        "choice_count": count,
    }


def _option(example: Example, index: int) -> dict[str, object]:
    return {"choice": example.choices[index], "letter": letter_of(index), "index": index}


@lru_cache(maxsize=1024)
def _letters(count: int) -> list[str]:
    return [letter_of(index) for index in range(count)]  # shared: the sandbox lets no template change it


def _where(instruction: Instruction, part: str | None) -> str:
    place = instruction.origin or instruction.name
    return f"{place}, {part}" if part else place


def _complain_of_name(name: str, instruction: Instruction, part: str, task: Task, example: Example) -> NoReturn:
    everywhere = not any(name in other.fields for other in task.examples)
    knows_option = part in compile_instruction(instruction).parts_of_option
    known = [*sorted(example.fields), *BUILTINS, *(ANSWER_BUILTINS if knows_option else ())]
    hint = f"Known names: {', '.join(known)}"
    if name in ANSWER_BUILTINS and not knows_option:
        hint += f". {', '.join(ANSWER_BUILTINS)} are known only in answer, and in the layout with a continuation"
    raise InstructionError(
        f"wording {instruction.id!r} needs {name!r}, which task {task.name!r} does not have"
        + ("" if everywhere else f" in its example {example.id!r}"),
        where=_where(instruction, part),
        hint=hint,
    )
