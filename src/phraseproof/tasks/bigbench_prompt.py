"""The prompt that a BIG-bench task's designer wrote, as a wording: collection `task_designer`.

BIG-bench builds it as task prefix, then per example: input prefix, input, the options each after the choice prefix,
output prefix; the answer follows at once. White space at the prompt's end becomes the target delimiter, so that it is
scored with the answer, as every other wording's is. BIG-bench lists the options in a random order; here they are in
the example's order.
"""

from __future__ import annotations

from typing import NamedTuple

from phraseproof.core import Instruction, Relation

COLLECTION = "task_designer"


class PromptFrame(NamedTuple):
    """What a task puts around its inputs; the defaults are BIG-bench's own."""

    task_prefix: str = ""
    input_prefix: str = "\nQ: "
    output_prefix: str = "\nA: "
    choice_prefix: str = "\n  choice: "
    append_choices: bool = True


def designers_wording(frame: PromptFrame, wording_id: str, task: str, source: str) -> Instruction:
    """The designer's prompt, with options answered in full text.

    Args:
        wording_id: `json` when read from the task's own file, `hub` when recovered from the hub's finished prompts.
        task: the name of the task, the only one that the wording serves.
    """
    options = f"{{% for choice in choices %}}{literal(frame.choice_prefix)}{{{{ choice }}}}{{% endfor %}}"
    ending = frame.output_prefix.rstrip()
    layout = (
        literal(frame.input_prefix) + "{{ question }}" + (options if frame.append_choices else "") + literal(ending)
    )
    has_ask = bool(frame.task_prefix)
    return Instruction(
        id=wording_id,
        collection=COLLECTION,
        ask=literal(frame.task_prefix) if has_ask else None,
        layout=layout if has_ask else None,
        template=None if has_ask else layout,
        separator="",
        answer="{{ choice }}",
        target_delimiter=frame.output_prefix[len(ending) :],
        serves=(task,),
        relation=Relation.TASK_DESIGNER,
        author="BIG-bench",
        source=source,
        licence="Apache-2.0",
    )


def literal(text: str) -> str:
    """A Jinja template that renders exactly `text`, whatever braces and carriage returns it holds."""
    parts = {"{": '{{ "{" }}', "\r": '{{ "\\r" }}'}
    return "".join(parts.get(character, character) for character in text)
