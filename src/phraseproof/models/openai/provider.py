"""The provider behind `openai/NAME`: options to a model behind a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phraseproof.errors import UsageError
from phraseproof.models.openai.constraints import ANSWER_FORMATS
from phraseproof.models.openai.echo_ways import WAYS
from phraseproof.models.openai.local_template import LocalTemplate
from phraseproof.models.openai.model import Requests, ServedModel, model_at
from phraseproof.models.openai.server_settings import SETTING_NAMES, read_settings
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int

_KNOWN_ARGS = ("answer_format", "echo", "endpoint", "tokenizer", "top_logprobs", *SETTING_NAMES)
_ENDPOINTS = ("chat", "completions")


def load(name: str, options: ModelOptions) -> ServedModel:
    """The provider behind `openai/NAME`.

    Raises:
        UsageError: an option that a model behind a server does not have, or an invalid address.
        MissingExtraError: httpx or tenacity is not installed.
    """
    check_argument_names(options.args, known=_KNOWN_ARGS, model=f"the model '{name}' behind a server")
    if not name.partition("/")[2]:
        raise UsageError("the model has no name", expected="openai/NAME, as the server calls it", where="--model")
    defaults = ModelOptions()
    fields = (
        "adapter",
        "revision",
        "dtype",
        "device",
        "max_length",
        "chat_template",
        "chat_date",
    )
    tokenizer = options.args.get("tokenizer")
    for field in fields if tokenizer is None else ("adapter", "dtype", "device", "max_length"):
        if getattr(options, field) != getattr(defaults, field):
            flag = f"--{field.removesuffix('s').replace('_', '-')}"
            raise UsageError(f"the server of '{name}' decides that by itself", where=flag, hint=f"Leave out {flag}")
    args = options.args
    endpoint = _one_of(args, "endpoint", _ENDPOINTS)
    answer_format = _one_of(args, "answer_format", ANSWER_FORMATS)
    echo = _one_of(args, "echo", tuple(WAYS))
    settings = read_settings(args, batch_size=options.batch_size)
    requests = Requests(
        endpoint,
        answer_format=answer_format,
        top_logprobs=positive_int(args["top_logprobs"], name="top_logprobs") if "top_logprobs" in args else None,
        echo=echo,
        template=None if tokenizer is None else LocalTemplate(tokenizer, options, model=name),
        template_args=options.chat_template_args or None,
    )
    return model_at(endpoint or "chat")(name, settings, requests)


def _one_of(args: Mapping[str, str], name: str, known: Sequence[str]) -> str | None:
    value = args.get(name)
    if value not in (None, *known):
        what = name.replace("_", " ")
        raise UsageError(
            f"unknown {what} '{value}'", expected=f"one of: {', '.join(known)}", where=f"--model-arg {name}"
        )
    return value
