"""From what an annotator wrote to a wording: an ask before its task's usual layout, or a whole template.

Annotators of the paper saw a task's fields by name and wrote whole instructions that name them (Appendix J). Here a
text that names no field is an ask, and the layout of its task follows it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from phraseproof.collect.records import Form
from phraseproof.core import Instruction, Kind, Task
from phraseproof.errors import InstructionError
from phraseproof.instructions.collection_file import VERBALIZERS, verbalizer_for
from phraseproof.instructions.template import compile_instruction, literal
from phraseproof.instructions.validate import holds_answers

_OPTIONS = {"letter": "{{ choices | enumerate }}", "text": '{{ choices | enumerate("- {choice}") }}'}
_END = "Answer:"


def field_names(task: Task) -> tuple[str, ...]:
    """The fields that a wording may name: those that every example has and that do not hold the answer."""
    return _field_names(_TaskOfExamples(task))


class _TaskOfExamples:
    """A task that equals another one with the very same examples, so that what is known of them is found again."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task

    def __hash__(self) -> int:
        return id(self.task.examples)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TaskOfExamples) and self.task.examples is other.task.examples


@lru_cache(maxsize=64)
def _field_names(of: _TaskOfExamples) -> tuple[str, ...]:
    task = of.task
    return tuple(
        name
        for name in task.examples[0].fields
        if name.isidentifier() and all(name in each.fields for each in task.examples) and not holds_answers(name, task)
    )


def usual_layout(task: Task, *, answer: str | None = None, without: frozenset[str] = frozenset()) -> str:
    """How a task's examples are laid out: its fields, a line each, then its options, then `Answer:`.

    A single field comes without its name.

    Args:
        task: the task.
        answer: `letter` lists options after their letters, `text` without; `None` uses letters for multiple choice,
            whose options differ from example to example.
        without: names that are left out, because an ask contains them.
    """
    fields = field_names(task)
    lines = [
        f"{{{{ {name} }}}}" if len(fields) == 1 else f"{_label(name)}: {{{{ {name} }}}}"
        for name in fields
        if name not in without
    ]
    if task.kind.has_options and without.isdisjoint(("choices", "letters")):
        usual = "letter" if task.kind is Kind.MULTIPLE_CHOICE else "text"
        lines.append(_OPTIONS.get(answer or usual, _OPTIONS["text"]))
    return "\n".join([*lines, _END])


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
    Options that an ask lists itself are not listed again.

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
        layout = usual_layout(task, answer=answer, without=named)
        if named.isdisjoint(field_names(task)):
            wording = replace(wording, ask=text, layout=layout)
        else:
            wording = replace(wording, template=f"{text}\n\n{layout}")
    if answer is None:
        labels = compile_instruction(wording).labels
        answer = verbalizer_for(labels)
        if answer is None:
            raise InstructionError(
                f"the options are labelled by {' and '.join(sorted(labels))}, so the answer form is not clear",
                hint="Choose letters or texts as the answer",
            )
    return replace(wording, answer=VERBALIZERS.get(answer, answer))


def _names(text: str) -> frozenset[str]:
    """The names that a text needs, fields and built-in ones."""
    return compile_instruction(Instruction(id="ask", collection="collected", template=text)).names_by_part["template"]


def _label(name: str) -> str:
    words = " ".join(name.replace("_", " ").split())
    return literal(words[:1].upper() + words[1:])
