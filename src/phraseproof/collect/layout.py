"""From what a person writes in the form to a wording: a text that names no field gets the task's usual layout."""

from __future__ import annotations

from typing import Literal

from jinja2.exceptions import TemplateSyntaxError

from phraseproof.core import Instruction, Relation, Task
from phraseproof.instructions.template import BUILTINS
from phraseproof.instructions.validate import holds_answers
from phraseproof.templates.compiled_template import COMPILE_ERRORS, Compiled, compile_source

MAX_CHARACTERS = 6_000
"""The maximum length of a text that a person writes for one wording."""
ANSWER_FORMS = ("letter", "text")
"""How options are answered: by their letter, or by their text."""

_VERBALIZERS = {"letter": "{{ letter }}", "text": "{{ choice }}"}
_VERBALIZER_OF_LABEL = {"letter": "{{ letter }}", "lower": "{{ letter | lower }}", "number": "{{ index + 1 }}"}
_OPTIONS = {"letter": "{letter}. {choice}", "text": "- {choice}"}


def field_names(task: Task) -> tuple[str, ...]:
    """The fields that a person may name: those that every example has and that do not hold the answer."""
    first = task.examples[0].fields
    return tuple(
        name
        for name in first
        if all(name in example.fields for example in task.examples) and not holds_answers(name, task)
    )


def usual_layout(task: Task, answer: str = "letter", *, with_options: bool = True) -> str:
    """The layout that examples of a task get where a person writes only what is asked.

    Args:
        task: the task.
        answer: one of `ANSWER_FORMS`: how the options are listed.
        with_options: list the options; not where the text itself lists them.
    """
    names = field_names(task)
    parts = ["\n".join(f"{_label(name)}: {{{{ {name} }}}}" for name in names)] if names else []
    if task.kind.has_options and with_options:
        parts.append(f'{{{{ choices | enumerate("{_OPTIONS[answer]}") }}}}')
    return "\n\n".join([*parts, "Answer:"])


def written_instruction(
    task: Task, text: str, *, answer: str | None = None, form: Literal["ask", "template"] | None = None
) -> Instruction:
    """The wording that a person's text means, for one task; its id and provenance are left to the caller.

    A text that names a field of the examples is the whole prompt (`template`). Other texts are what is asked (`ask`),
    followed by `usual_layout`; options that the text lists itself are not listed again.

    Args:
        task: the task it is written for.
        text: what the person wrote; it may be no valid template.
        answer: one of `ANSWER_FORMS`, or a template of one answer; `None` derives it from the labels of the options in
            the text.
        form: what the text is; `None` derives it as `form_of` does.
    """
    compiled = _compiled(text)
    names = frozenset[str]() if compiled is None else compiled.names
    labels = frozenset[str]() if compiled is None else compiled.labels
    is_whole = (form or form_of(task, text)) == "template"
    lists_options = not names.isdisjoint(("choices", "letters"))
    if answer is None and not task.kind.has_options:
        verbalizer = _VERBALIZERS["text"]
    elif answer is not None:
        verbalizer = _VERBALIZERS.get(answer, answer)
    elif labels:
        verbalizer = _VERBALIZER_OF_LABEL.get(min(labels), _VERBALIZERS["text"])
    else:
        verbalizer = _VERBALIZERS["text" if is_whole or lists_options else "letter"]
    layout = None
    if not is_whole:
        listed = "text" if verbalizer == _VERBALIZERS["text"] else "letter"
        layout = usual_layout(task, listed, with_options=not lists_options)
    return Instruction(
        id="draft",
        collection="collected",
        ask=None if is_whole else text,
        layout=layout,
        template=text if is_whole else None,
        answer=verbalizer,
        serves=(task.name,),
        relation=Relation.UNOBSERVED,
    )


def form_of(task: Task, text: str) -> Literal["ask", "template"]:
    """What a text is: `template`, the whole prompt, if it names a field of the examples or is malformed; else `ask`."""
    compiled = _compiled(text)
    fields = {name for example in task.examples for name in example.fields}
    return "template" if compiled is None or not compiled.names.isdisjoint(fields) else "ask"


def unknown_names(task: Task, text: str) -> tuple[str, ...]:
    """The names in double braces that no example has, in order; none where the text is not a template."""
    compiled = _compiled(text)
    if compiled is None:
        return ()
    known = {*BUILTINS, "range", *(name for example in task.examples for name in example.fields)}
    return tuple(sorted(compiled.names - compiled.optional - known))


def _compiled(text: str) -> Compiled | None:
    try:
        return compile_source(text)
    except (TemplateSyntaxError, *COMPILE_ERRORS):
        return None


def _label(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
