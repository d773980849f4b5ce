"""The ways in which servers return the log-probabilities of the text that they were sent.

* `echo`: OpenAI's own fields, `echo` with `logprobs` (vLLM, SGLang).
* `prompt_logprobs`: a field that vLLM adds to the endpoint `completions`. Gateways that refuse `echo` may pass it on.
* `logprob_start_len`: SGLang's own endpoint `/generate`.

All give the same numbers: which one is used is part of a model's identity, and not of how answers are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

from phraseproof.models.openai.echoed_scores import Echo, UnusableError, short
from phraseproof.models.openai.echoed_tokens import MAX_GENERATED
from phraseproof.models.openai.server_settings import NATIVE_GENERATE

ECHO = "echo"
"""The way of OpenAI's protocol: the first one that is tried."""


class EchoWay(NamedTuple):
    """One way.

    Attributes:
        path: the endpoint.
        request: from the model's name and a text to a request.
        read: from an answer to the tokens of the text; it raises `UnusableError`.
    """

    path: str
    request: Callable[[str, str], dict[str, object]]
    read: Callable[[object], Echo]


def _echo_request(model: str, text: str) -> dict[str, object]:
    settings = {"model": model, "max_tokens": MAX_GENERATED, "temperature": 0.0, "logprobs": 1, "echo": True}
    return {**settings, "prompt": text}


def _read_echo(choice: object) -> Echo:
    answer = _mapping(choice)
    logprobs = _mapping(answer.get("logprobs"))
    tokens, values = _list(logprobs.get("tokens")), _list(logprobs.get("token_logprobs"))
    if tokens is None or values is None or len(tokens) != len(values):
        raise _missing()
    offsets = _list(logprobs.get("text_offset")) or []
    whole = [offset for offset in offsets if isinstance(offset, int) and not isinstance(offset, bool)]
    text = answer.get("text")
    return Echo(
        _names(tokens),
        values,
        whole if whole and len(whole) == len(offsets) else None,
        text if isinstance(text, str) else None,
        generated=MAX_GENERATED,
    )


def _prompt_logprobs_request(model: str, text: str) -> dict[str, object]:
    # 0 other tokens at each place: the text's own token is the only one.
    settings = {"model": model, "max_tokens": MAX_GENERATED, "temperature": 0.0, "prompt_logprobs": 0}
    return {**settings, "prompt": text}


def _read_prompt_logprobs(choice: object) -> Echo:
    places = _list(_mapping(choice).get("prompt_logprobs"))
    if not places:
        raise _missing()
    names: list[object] = []
    values: list[object] = []
    for number, place in enumerate(places):
        if place is None and number == 0:
            # What comes first has no log-probability, and vLLM does not name it either.
            names.append("")
            values.append(None)
            continue
        known = list(_mapping(place).values())
        if len(known) != 1:
            raise UnusableError(f"a place of 'prompt_logprobs' does not hold one token (got {short(place)})")
        token = _mapping(known[0])
        names.append(token.get("decoded_token"))
        values.append(token.get("logprob"))
    return Echo(_names(names), values, unnamed_first=places[0] is None)


def _generate_request(model: str, text: str) -> dict[str, object]:  # noqa: ARG001 - the endpoint serves one model
    return {
        "text": text,
        # Servers that apply temperature before they report probabilities must not change them: so it is 1.
        "sampling_params": {"max_new_tokens": MAX_GENERATED, "temperature": 1.0},
        "return_logprob": True,
        "logprob_start_len": 0,
        "return_text_in_logprobs": True,
    }


def _read_generate(answer: object) -> Echo:
    places = _list(_mapping(_mapping(answer).get("meta_info")).get("input_token_logprobs"))
    if not places:
        raise _missing()
    tokens = [_list(place) or [] for place in places]
    if (wrong := next((number for number, token in enumerate(tokens) if len(token) != 3), None)) is not None:
        raise UnusableError(
            "an entry of 'input_token_logprobs' is not a log-probability, a token's number and its text "
            f"(got {short(places[wrong])})"
        )
    return Echo(_names([token[2] for token in tokens]), [token[0] for token in tokens])


WAYS = {
    ECHO: EchoWay("/completions", _echo_request, _read_echo),
    "prompt_logprobs": EchoWay("/completions", _prompt_logprobs_request, _read_prompt_logprobs),
    "logprob_start_len": EchoWay(NATIVE_GENERATE, _generate_request, _read_generate),
}
"""The ways by name, in the order in which they are tried."""


def _names(tokens: list[object]) -> list[str]:
    names = [token for token in tokens if isinstance(token, str)]
    if len(names) < len(tokens):
        other = next(token for token in tokens if not isinstance(token, str))
        raise UnusableError(f"a token's name is not text (got {short(other)})")
    return names


def _missing() -> UnusableError:
    return UnusableError(
        "the server does not send the log-probabilities of what it was sent, so options cannot be scored",
        hint="Scoring needs a server that sends them, as vLLM and SGLang, by echo with logprobs or in their own fields",
    )


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None
