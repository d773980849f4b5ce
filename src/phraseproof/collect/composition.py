"""From what an annotator wrote to a wording: an ask before its task's usual layout, or a whole template.

Annotators of the paper saw a task's fields by name and wrote whole instructions that name them (Appendix J). Here a
text that names no field is an ask, and the layout of its task follows it.
"""

from __future__ import annotations

from dataclasses import replace

from phraseproof.collect.records import Form
from phraseproof.core import Instruction, Kind, Task
from phraseproof.errors import InstructionError
from phraseproof.instructions.collection_file import verbalizer_for
from phraseproof.instructions.template import BUILTINS, compile_instruction, literal

OPTIONS = "{{ choices | enumerate }}"
"""How the usual layout lists options that differ from example to example: a line each, after its letter."""

_ANSWERS = {"letter": "{{ letter }}", "text": "{{ choice }}"}


def usual_layout(task: Task, *, without: frozenset[str] = frozenset()) -> str:
    """How a task's examples are laid out: its fields, one per line, then its options where they are part of a question.

    A single field comes without its name. Options are listed with letters for multiple choice; the labels of other
    kinds are the same for every example, so the ask names them.

    Args:
        task: the task.
        without: names that are left out, because an ask contains them.
    """
    fields = [
        name
        for name in task.examples[0].fields
        if name.isidentifier() and all(name in each.fields for each in task.examples)
    ]
    lines = [
        f"{{{{ {name} }}}}" if len(fields) == 1 else f"{_label(name)}: {{{{ {name} }}}}"
        for name in fields
        if name not in without
    ]
    if task.kind is Kind.MULTIPLE_CHOICE and without.isdisjoint(BUILTINS):
        lines.append(OPTIONS)
    return "\n".join(lines)


def compose(
    task: Task,
    text: str,
    form: Form,
    *,
    answer: str | None,
    name: str = "wording",
    collection: str = "collected",
) -> Instruction:
    """The wording that a text means for a task.

    An ask that names no field is separate from the task's usual layout, so it appears once in a few-shot prompt. One
    that names fields is one template with the rest of the layout, because each solved example needs its own fields.

    Args:
        task: what the wording is for; it serves this task alone.
        text: an ask or a template, as `form` says.
        form: what the text is.
        answer: `letter`, `text` or a template of one answer; `None` follows the labels of the options.
        name: the wording's id.
        collection: the collection's name.

    Raises:
        InstructionError: a template is malformed, or the options have labels of which no answer form is known.
    """
    wording = Instruction(id=name, collection=collection, serves=(task.name,))
    if form == "template":
        wording = replace(wording, template=text)
    else:
        named = _names(text)
        layout = usual_layout(task, without=named)
        if not named:
            wording = replace(wording, ask=text, layout=layout) if layout else replace(wording, template=text)
        else:
            wording = replace(wording, template=f"{text}\n\n{layout}" if layout else text)
    if answer is None:
        labels = compile_instruction(wording).labels
        answer = verbalizer_for(labels)
        if answer is None:
            raise InstructionError(
                f"the options are labelled by {' and '.join(sorted(labels))}, so the answer form is not clear",
                hint="Choose letters or texts as the answer",
            )
    return replace(wording, answer=_ANSWERS.get(answer, answer))


def _names(text: str) -> frozenset[str]:
    """The names that a text needs, fields and built-in ones."""
    return compile_instruction(Instruction(id="ask", collection="collected", template=text)).names_by_part["template"]


def _label(name: str) -> str:
    words = " ".join(name.replace("_", " ").split())
    return literal(words[:1].upper() + words[1:])
