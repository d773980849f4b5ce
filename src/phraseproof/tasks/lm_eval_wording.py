"""The prompt of a task of lm-evaluation-harness as a wording: collection `task_designer`.

The description is the ask, and `doc_to_text` is the layout: as a template, if it renders here to what the harness
makes of it for every document, else as the field that holds what the harness made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import TemplateSyntaxError

from phraseproof.core import Example, Instruction, Relation
from phraseproof.tasks.bigbench_prompt import COLLECTION, literal
from phraseproof.templates.compiled_template import COMPILE_ERRORS, RENDER_ERRORS, compile_source
from phraseproof.templates.sandbox import bounded_range, environment

if TYPE_CHECKING:
    from lm_eval.api.task import ConfigurableTask

PROMPT, DESCRIPTION = "lm_eval_prompt", "lm_eval_description"
"""Fields of every example: what the harness makes of `doc_to_text` (with `gen_prefix`) and of `description`."""

CONTINUATION = "lm_eval_continuation"
"""Where the options are in the prompt: what is scored after it. `PROMPT` is then a list with a prompt per option."""

RESERVED = ("choices", "letters", "choice_count", "choice", "letter", "index")
"""Names that templates define. A document's field of this name is `doc_NAME`."""

BETWEEN_EXAMPLES = "\n\n"
"""What separates demonstrations in the formats plain and alpaca (`instructions/render.py`)."""

_DELIMITER = " "
"""The harness's default, which the format of a prompt decides here: a chat template has none."""


def designers_wording(
    task: ConfigurableTask, name: str, examples: Sequence[Example], demonstrations: Sequence[Example]
) -> Instruction:
    """The harness's own prompt, with options answered in full text.

    Args:
        task: of the harness.
        name: of the task here, the only one that the wording serves.
        examples: the tested documents.
        demonstrations: solved ones.
    """
    config: Any = task.config
    layout = _layout(task, [*examples, *demonstrations])
    between = str(task.fewshot_cfg.fewshot_delimiter)
    ask, separator = _ask({str(example.fields[DESCRIPTION]) for example in examples})
    return Instruction(
        id="lm_eval",
        collection=COLLECTION,
        ask=ask,
        layout=None if ask is None else layout,
        template=layout if ask is None else None,
        separator=separator,
        answer="{{ choice }}",
        continuation=f"{{{{ {CONTINUATION} }}}}" if task.multiple_input else None,
        target_delimiter=None if config.target_delimiter == _DELIMITER else config.target_delimiter,
        fewshot_delimiter=None if between == BETWEEN_EXAMPLES else between,
        serves=(name,),
        relation=Relation.TASK_DESIGNER,
        author="lm-evaluation-harness",
        source=str((config.metadata or {}).get("config_source", name)),
    )


def _ask(descriptions: set[str]) -> tuple[str | None, str]:
    """The ask, `None` without a description, and what separates it from the layout."""
    if descriptions == {""}:
        return None, ""
    if len(descriptions) > 1:
        return f"{{{{ {DESCRIPTION} }}}}", ""
    text = descriptions.pop()
    ask = text.rstrip() or text
    return literal(ask), text[len(ask) :]


def _layout(task: ConfigurableTask, examples: Sequence[Example]) -> str:
    """The source of `doc_to_text` where it is a template here as well, else the name of the field."""
    if task.multiple_input:
        return f"{{{{ {PROMPT}[index] }}}}"
    source: Any = task.config.doc_to_text
    whole = f"{{{{ {PROMPT} }}}}"
    if not isinstance(source, str):
        return whole
    if source in task.features:
        source = f"{{{{ {source} }}}}"
    return next((each for each in (source, _renamed(source)) if _renders(each, examples)), whole)


def _renamed(source: str) -> str:
    """The template with `doc_NAME` in place of the names of fields that templates define themselves."""
    try:
        tokens = list(environment().lex(source))
    except TemplateSyntaxError:
        return source
    return "".join(f"doc_{text}" if kind == "name" and text in RESERVED else text for _, kind, text in tokens)


def _renders(source: str, examples: Sequence[Example]) -> bool:
    """Whether a template renders to the harness's prompt for every example."""
    try:
        compiled = compile_source(source)
        return not compiled.names.intersection(RESERVED) and all(
            compiled.text({"range": bounded_range, **example.fields}) == example.fields[PROMPT] for example in examples
        )
    except (TemplateSyntaxError, *COMPILE_ERRORS, *RENDER_ERRORS):
        return False
