"""How a server is made to write nothing but one of the options, and how the option is read back.

Servers offer this under different names, and many ignore names that they do not know. So whether a form works is found
out by a trial: a question to which no option is an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import MappingProxyType

from phraseproof.core import ChatMessage, Prompt

TEXT = "text"
"""No constraint: the model writes what it likes."""


def _structured_outputs(options: Sequence[str]) -> dict[str, object]:
    return {"structured_outputs": {"choice": list(options)}}


def _guided_choice(options: Sequence[str]) -> dict[str, object]:
    return {"guided_choice": list(options)}


def _json_schema(options: Sequence[str]) -> dict[str, object]:
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(options)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


_FORMS: MappingProxyType[str, Callable[[Sequence[str]], dict[str, object]]] = MappingProxyType(
    {
        "structured_outputs": _structured_outputs,  # vLLM from 0.11
        "guided_choice": _guided_choice,  # vLLM before
        "json_schema": _json_schema,  # OpenAI, SGLang, llama.cpp, Ollama, LiteLLM
    }
)
ANSWER_FORMATS = (*_FORMS, TEXT)

_TRIAL_OPTIONS = ("zebra", "quartz")
_TRIAL_TEXT = "Write the number seven as a digit and nothing else."
TRIAL = Prompt(_TRIAL_TEXT, _TRIAL_OPTIONS, messages=(ChatMessage("user", _TRIAL_TEXT),))
"""A model that is free does not answer this with one of the options."""


def constraint(answer_format: str, options: Sequence[str]) -> dict[str, object]:
    """The part of a request that allows the options only; empty for `text` and where there are no options."""
    return {} if answer_format == TEXT or not options else _FORMS[answer_format](options)


def is_honoured(answer_format: str, text: str) -> bool:
    """Whether the answer to `TRIAL` shows that the server follows the constraint."""
    if answer_format != "json_schema":
        return text.strip() in _TRIAL_OPTIONS
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return found in [{"answer": option} for option in _TRIAL_OPTIONS]
