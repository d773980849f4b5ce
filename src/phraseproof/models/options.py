"""The options of models, which every provider gets, and the checks of free-form `--model-arg` pairs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is loaded: all options besides its name.

    Attributes:
        dtype: `auto`, or a precision by name (`float32`, `bfloat16`, `float16`).
        device: `auto` (CUDA, then MPS, then CPU), or a device as torch names it (`cuda:1`); for evaluations several,
            separated by commas.
        batch_size: the number of prompts per batch; by default, batches are sized by tokens.
        adapter: the folder of a PEFT adapter to attach to the model.
        revision: the model's branch, tag or commit on the hub.
        trust_remote_code: whether to run Python code that the model's repository ships.
        max_length: the maximum number of tokens of a prompt; longer prompts are cut from the left.
        chat_template: a Jinja file to use in place of the model's own chat template.
        chat_template_args: what the chat template receives besides the messages, as `enable_thinking: false`.
        chat_date: the date for a chat template that prints today's date, in ISO 8601; by default a constant.
        args: the provider's own options, as in `--model-arg NAME=VALUE`; they override the fields above.
    """

    # Config files are read into this class by pydantic, which would otherwise ignore misspelt names.
    __pydantic_config__: ClassVar[ConfigDict] = {"extra": "forbid"}

    dtype: str = "auto"
    device: str = "auto"
    batch_size: int | None = None
    adapter: Path | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    max_length: int | None = None
    chat_template: Path | None = None
    chat_template_args: Mapping[str, str | bool | int | float] = field(
        default_factory=dict[str, "str | bool | int | float"]
    )
    chat_date: str | None = None
    args: Mapping[str, str] = field(default_factory=dict[str, str])


def check_argument_names(args: Iterable[str], *, known: Iterable[str], model: str) -> None:
    """Refuse a `--model-arg` that the provider does not have.

    Raises:
        UsageError: an unknown name; the message lists the known ones and the closest match.
    """
    names = sorted(known)
    for name in args:
        if name in names:
            continue
        close = difflib.get_close_matches(name, names, n=1)
        raise UsageError(
            f"unknown model argument '{name}' for {model}",
            expected=f"one of: {', '.join(names)}",
            where="--model-arg",
            hint=f"Did you mean '{close[0]}'?" if close else None,
        )


def positive_int(text: str, *, name: str) -> int:
    """Parse a `--model-arg` that counts something.

    Raises:
        UsageError: `text` is not a whole number above zero.
    """
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(
            f"'{name}' must be a whole number above zero", got=f"'{text}'", where=f"--model-arg {name}={text}"
        )
    return int(text)
