"""Finds out by trials how the answers of a served model can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from phraseproof.core import ChatMessage, ChosenMethod, Model, OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.models.openai.first_token import can_be_first_tokens

MOST_TOP_LOGPROBS = (20, 10, 5)
"""How many first tokens are requested, until the server agrees: 20 is the maximum of OpenAI and of vLLM's default."""

_QUESTION = (
    "Which of these is a fruit?\nA. granite\nB. a pear\nC. a hammer\nD. the moon\nAnswer with the letter only.\nAnswer:"
)
_TRIAL = Prompt(_QUESTION, ("A", "B", "C", "D"), messages=(ChatMessage("user", _QUESTION),))


class Variant(Model, Protocol):
    """A served model that is set up for one endpoint and one method."""

    def score_options(self, prompts: Sequence[Prompt], *, method: str) -> list[OptionScores]:
        """Score the options of prompts."""
        ...


SetUp = Callable[[str, str, int | None], Variant]
"""From endpoint, method and number of first tokens to the model that is set up so."""


def choose_method(
    set_up: SetUp,
    method: str | None,
    options: Sequence[tuple[str, ...]],
    *,
    endpoint: str | None = None,
    top_logprobs: int | None = None,
) -> ChosenMethod:
    """The method, the model for it, and why.

    Args:
        set_up: makes the model.
        method: the one that was asked for; `None` tries `loglikelihood` first, then `first_token`.
        options: those of some of the prompts that are going to be scored.
        endpoint: the one that the user chose, if any.
        top_logprobs: the number of first tokens that the user chose, if any.

    Raises:
        ModelError: no method works, the server cannot be reached, or options cannot be first tokens.
    """
    if method is not None and method != "first_token":
        return ChosenMethod(method, set_up(endpoint or "completions", method, None))
    reasons: list[str] = []
    if method is None and endpoint != "chat":
        exact = set_up("completions", "loglikelihood", None)
        error = _error_of(exact, "loglikelihood")
        if error is None:
            return ChosenMethod(
                "loglikelihood", exact, ("scoring loglikelihood: the server returns the log-probabilities of prompts",)
            )
        reasons.append(f"loglikelihood does not work: {error.problem}")
    if (long := next((each for each in options if not can_be_first_tokens(each)), None)) is None:
        return _by_first_token(set_up, endpoint or "chat", top_logprobs, reasons)
    shown = ", ".join(repr(option) for option in long[:3])
    raise ModelError(
        "; ".join([*reasons, "options of several words cannot be read from the first token"]),
        got=shown[:100],
        hint="Use wordings whose answers are letters ({{ letter }}, docs/wordings.md)",
    )


def _by_first_token(set_up: SetUp, endpoint: str, asked: int | None, reasons: Sequence[str]) -> ChosenMethod:
    error: ModelError | None = None
    for number in MOST_TOP_LOGPROBS if asked is None else (asked,):
        model = set_up(endpoint, "first_token", number)
        error = _error_of(model, "first_token")
        if error is None:
            cap = (
                f", {number} of them, which is the most that the server gives" if number != MOST_TOP_LOGPROBS[0] else ""
            )
            note = f"scoring first_token: options are read from the most probable first tokens{cap}"
            return ChosenMethod("first_token", model, (note, *reasons))
    assert error is not None, "at least one number is tried"
    if not reasons:
        raise error
    raise ModelError(
        "; ".join([*reasons, f"first_token does not work: {error.problem}"]),
        got=error.got,
        where=error.where,
        hint=error.hint,
    )


def _error_of(model: Variant, method: str) -> ModelError | None:
    """Why a method does not work; raises where the server cannot be used at all."""
    try:
        model.score_options([_TRIAL], method=method)
    except ModelError as error:
        if "(tried " in error.problem:  # the server did not answer at all: no other way would
            raise
        return error
    return None
