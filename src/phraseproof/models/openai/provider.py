"""The provider behind `openai/NAME`: options to a model behind a server."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from phraseproof.errors import UsageError
from phraseproof.models.openai.model import Requests, ServedModel, model_at
from phraseproof.models.openai.server import DEFAULT_BASE_URL, DEFAULT_KEY_VARIABLE, ServerSettings
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int

_KNOWN_ARGS = ("api_key_env", "base_url", "concurrency", "endpoint", "retries", "timeout_s", "top_logprobs")
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
    for field in fields:
        if getattr(options, field) != getattr(defaults, field):
            flag = f"--{field.removesuffix('s').replace('_', '-')}"
            raise UsageError(f"the server of '{name}' decides that by itself", where=flag, hint=f"Leave out {flag}")
    args = options.args
    endpoint = args.get("endpoint")
    if endpoint not in (None, *_ENDPOINTS):
        expected = f"one of: {', '.join(_ENDPOINTS)}"
        raise UsageError(f"unknown endpoint '{endpoint}'", expected=expected, where="--model-arg endpoint")
    plain = ServerSettings()
    settings = ServerSettings(
        base_url=_address(args.get("base_url") or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL),
        key_variable=args.get("api_key_env", DEFAULT_KEY_VARIABLE),
        timeout_s=positive_int(args["timeout_s"], name="timeout_s") if "timeout_s" in args else plain.timeout_s,
        retries=positive_int(args["retries"], name="retries") if "retries" in args else plain.retries,
        concurrency=positive_int(args["concurrency"], name="concurrency")
        if "concurrency" in args
        else options.batch_size or plain.concurrency,
    )
    requests = Requests(
        endpoint,
        top_logprobs=positive_int(args["top_logprobs"], name="top_logprobs") if "top_logprobs" in args else None,
        template_args=options.chat_template_args or None,
    )
    return model_at(endpoint or "chat")(name, settings, requests)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        secret = bool(parts.username or parts.password)
    except ValueError:
        usable = secret = False
    if secret:  # not repeated: it holds a password
        raise UsageError(
            "the server's address holds a user name or password",
            where="--model-arg base_url",
            hint=f"Put the key into the environment variable {DEFAULT_KEY_VARIABLE}, which is never stored",
        )
    if not usable:
        raise UsageError(
            "not an address of a server",
            expected="such as http://localhost:8000/v1",
            got=text,
            where="--model-arg base_url",
        )
    return text.rstrip("/")
