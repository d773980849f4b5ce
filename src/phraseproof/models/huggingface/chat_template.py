"""Chat templates of Hugging Face tokenizers, with everything that they can read pinned.

A template is a program. Besides the messages it can read arguments (`enable_thinking`), the clock (`strftime_now`) and
a random number generator. Prompts must be the same every time they are rendered, so the clock is fixed at a date
that is part of the run, arguments are part of the run, and random numbers are refused.
"""

from __future__ import annotations

import ast
import contextlib
import datetime
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from phraseproof.core import ChatMessage
from phraseproof.errors import ModelError, UsageError
from phraseproof.files import read_utf8
from phraseproof.identity import content_hash
from phraseproof.models.huggingface.tokenization import Tokenizer
from phraseproof.models.options import ModelOptions

DEFAULT_DATE = "2024-07-26"
"""The date that templates see unless another is given: the one that Llama 3's template falls back on by itself.

A constant, because a date that changes by itself would make today's run and next week's run differ.
"""

_CLOCK = "strftime_now"
_RANDOM = re.compile(r"\|\s*random\b|\blipsum\s*\(")
_FIXED_CLOCK = (
    "{%- macro strftime_now(form) -%}{%- set dates = {DATES} -%}{%- if form in dates -%}{{ dates[form] }}{%- else -%}"
    "{{ raise_exception('the date has a form that is not written out in the template: ' ~ form) }}{%- endif -%}"
    "{%- endmacro %}\n"
)
_SWITCHES = ("enable_thinking", "thinking", "enable_reasoning", "reasoning")
"""Arguments by which published templates switch a model's thinking on and off."""
_RESERVED = ("messages", "conversation", "chat_template", "tokenize", "add_generation_prompt", _CLOCK)
"""Arguments of the renderer itself."""
_PROBE = (ChatMessage("user", "probe"),)


class ChatTemplate:
    """A tokenizer's chat template, or the one that is given in its place.

    Args:
        tokenizer: the Hugging Face tokenizer.
        options: `chat_template`, `chat_template_args` and `chat_date`.
        model: the model's name, for messages.

    Raises:
        UsageError: a template file that cannot be read, a date that is not one, or an argument's name that is taken.
        ModelError: the tokenizer has several templates, none of them the default; or one that draws random numbers.
    """

    def __init__(self, tokenizer: Tokenizer, options: ModelOptions, *, model: str) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._arguments: Mapping[str, object] = options.chat_template_args
        for name in _RESERVED:
            if name in self._arguments:
                raise UsageError(f"{name!r} is not an argument of a chat template", where="--chat-template-arg")
        self._given = _read(options.chat_template)
        self._now = read_date(options.chat_date)
        self._text = self._given if self._given is not None else _own_template(tokenizer, model)
        if self._text is not None and _RANDOM.search(self._text):
            raise ModelError(
                f"the chat template of '{model}' draws random numbers, so no prompt would be the same twice",
                hint="Give a template without them, --chat-template FILE, or use --prompt-format plain",
            )

    @property
    def exists(self) -> bool:
        """Whether there is a template."""
        return bool(self._text)

    @functools.cached_property
    def settings(self) -> dict[str, str]:
        """What shapes prompts beyond the tokenizer's own template; empty where nothing does."""
        found: dict[str, str] = {}
        if self._given is not None:
            found["chat_template"] = content_hash(self._given)
        if self._arguments:
            found["chat_template_args"] = json.dumps(self._arguments, sort_keys=True)
        if self._text is not None and _CLOCK in self._text:
            found["chat_date"] = self._now.isoformat().removesuffix("T00:00:00")
        return found

    def format(self, messages: Sequence[ChatMessage]) -> str:
        """The template's text, its special tokens included, ending where the answer begins.

        Raises:
            ModelError: no template, one that cannot render these messages, or one that leaves a message out.
        """
        text = self._render(messages, self._arguments)
        for message in messages:
            if message.role != "assistant" and message.content.strip() not in text:
                raise ModelError(
                    f"the chat template of '{self._model}' leaves out the {message.role} message",
                    got=repr(message.content[:60]),
                    hint="Give another template, --chat-template FILE, or use --prompt-format plain",
                )
        return text

    def require_answer_position(self) -> None:
        """Refuse a template whose prompts end where the model would begin to think, unless the user requested that.

        Raises:
            ModelError: names the argument that switches thinking off.
        """
        switch = self._unset_switch
        if switch is not None:
            raise ModelError(
                f"the chat template of '{self._model}' lets the model think before it answers, so options would be "
                "scored in place of its thoughts",
                hint=f"Add --chat-template-arg {switch}=false to score answers without thoughts, "
                f"or --chat-template-arg {switch}=true to score them where thoughts would begin; "
                "--scoring generate --reasoning reads answers from texts, after the thoughts",
            )

    @functools.cached_property
    def _pinned(self) -> str | None:
        """The template with a fixed date.

        transformers gives templates its own `strftime_now` and passes them plain data only, no functions. So the
        template gets a macro of that name, which looks up the date in the forms that the template's texts name.
        """
        if self._text is None or _CLOCK not in self._text:
            return self._text
        forms = {text for text in _literals(self._text) if "%" in text}
        dates = ", ".join(f"{json.dumps(form)}: {json.dumps(self._now.strftime(form))}" for form in sorted(forms))
        return _FIXED_CLOCK.replace("DATES", dates) + self._text

    @functools.cached_property
    def _unset_switch(self) -> str | None:
        """The argument that is not given, and by whose default the model thinks."""
        for switch in _SWITCHES:
            if switch in self._arguments or self._text is None or not re.search(rf"\b{switch}\b", self._text):
                continue
            default, on, off = (
                self._render(_PROBE, {**self._arguments, **values}) for values in ({}, {switch: True}, {switch: False})
            )
            # Where the default is neither of the two, the model itself decides whether to think.
            if off not in (default, on):
                return switch
        return None

    def _render(self, messages: Sequence[ChatMessage], arguments: Mapping[str, object]) -> str:
        from jinja2 import TemplateError

        if not self._text:
            raise ModelError(f"the model '{self._model}' has no chat template", hint="Use --prompt-format plain")
        try:
            text: str = self._tokenizer.apply_chat_template(
                [message._asdict() for message in messages],
                chat_template=self._pinned,
                tokenize=False,
                add_generation_prompt=True,
                **arguments,
            )
        except RecursionError as error:
            raise ModelError(f"the chat template of '{self._model}' calls itself without end") from error
        except (TemplateError, ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError) as error:
            hint = None
            if any(message.role == "system" for message in messages):
                hint = "Templates of some models take no system prompt: leave it out, or write it into the wording"
            raise ModelError(
                f"the chat template of '{self._model}' cannot render the prompt", got=str(error), hint=hint
            ) from error
        return text


class FormatsWithTemplate:
    """The capabilities `FormatsChat` and `ChecksAnswerPosition` of a model, by its `ChatTemplate`."""

    _chat: ChatTemplate

    @property
    def has_chat_template(self) -> bool:
        """Whether the tokenizer has a chat template, or one is given."""
        return self._chat.exists

    def require_answer_position(self) -> None:
        """Refuse a chat template by which the model would think before it answers.

        Raises:
            ModelError: names the argument that switches thinking off.
        """
        self._chat.require_answer_position()

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The text of the chat template, special tokens included, up to where the answer begins.

        Raises:
            ModelError: no template, or one that cannot render these messages.
        """
        return self._chat.format(messages)


def read_date(text: str | None) -> datetime.datetime:
    """The moment that templates see, from a date or a date and time in ISO 8601.

    Raises:
        UsageError: neither.
    """
    try:
        return datetime.datetime.fromisoformat(text or DEFAULT_DATE)
    except ValueError:
        raise UsageError("not a date", expected="a date as in 2026-01-31", got=text, where="--chat-date") from None


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = read_utf8(path)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot read the chat template '{path}'", got=problem, where="--chat-template") from error
    if not text.strip():
        raise UsageError(f"the chat template '{path}' is empty", where="--chat-template")
    return text


def _literals(template: str) -> Iterator[str]:
    """The texts in quotes in a template's code."""
    from jinja2 import Environment
    from jinja2.exceptions import TemplateSyntaxError

    with contextlib.suppress(TemplateSyntaxError):  # rendering reports it
        for _, kind, quoted in Environment(autoescape=False).lex(template):  # noqa: S701 - nothing is rendered
            if kind == "string":
                yield ast.literal_eval(quoted)


def _own_template(tokenizer: Tokenizer, model: str) -> str | None:
    if not tokenizer.chat_template:
        return None
    try:
        text: str = tokenizer.get_chat_template()
    except ValueError as error:
        raise ModelError(
            f"the tokenizer of '{model}' has several chat templates, and none is the default",
            got=", ".join(sorted(tokenizer.chat_template)),
            hint="Choose one with --chat-template FILE",
        ) from error
    return text
