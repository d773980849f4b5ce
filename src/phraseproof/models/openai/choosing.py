"""Finds out by trials how the answers of a served model can be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from phraseproof.core import GREEDY, ChatMessage, ChosenMethod, Model, OptionScores, Prompt, Sampling
from phraseproof.errors import ImpossibleScoreError, ModelError, NoAnswerError, StoppedError
from phraseproof.models.openai.constraints import ANSWER_FORMATS, TEXT, is_honoured
from phraseproof.models.openai.constraints import TRIAL as CONSTRAINT_TRIAL
from phraseproof.models.openai.echo_check import Echoes, check_echo
from phraseproof.models.openai.echo_ways import ECHO, WAYS
from phraseproof.models.openai.exchange import NoEndpointError
from phraseproof.models.openai.first_token import can_be_first_tokens

MOST_TOP_LOGPROBS = (20, 10, 5)
"""How many first tokens are requested, until the server agrees: 20 is the maximum of OpenAI and of vLLM's default."""

NO_TEMPLATE_HINT = "For a chat model add --model-arg tokenizer=FOLDER (or a hub id), whose chat template is then used"
"""What to do about completions without a chat template."""

_TRIAL_TOKENS = 64
"""llama.cpp's indented JSON for the trial has 26 tokens in SmolLM2's vocabulary."""

_QUESTION = (
    "Which of these is a fruit?\nA. granite\nB. a pear\nC. a hammer\nD. the moon\nAnswer with the letter only.\nAnswer:"
)
_TRIAL = Prompt(_QUESTION, ("A", "B", "C", "D"), messages=(ChatMessage("user", _QUESTION),))


class Variant(Model, Protocol):
    """A served model that is set up for one endpoint and one method."""

    def score_options(self, prompts: Sequence[Prompt], *, method: str) -> list[OptionScores]:
        """Score the options of prompts."""
        ...

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: Callable[[int, OptionScores | ModelError], None],
        stop: Sequence[str] = (),
    ) -> None:
        """Write an answer to every prompt."""
        ...


class SetUp(Protocol):
    """Makes the model for an endpoint and a method."""

    def __call__(self, endpoint: str, method: str, **changes: str | int | None) -> Variant:
        """The model; `changes` are other fields of how requests are made."""
        ...


class Choosing:
    """Tries methods, from the most exact one.

    Args:
        set_up: makes the models that are tried.
        endpoint: the one that the user chose, if any.
        top_logprobs: the number of first tokens that the user chose, if any.
        answer_format: the constraint of generated answers that the user chose, if any.
        echo: how prompts' log-probabilities are requested, if the user chose it.
    """

    def __init__(
        self,
        set_up: SetUp,
        endpoint: str | None = None,
        top_logprobs: int | None = None,
        answer_format: str | None = None,
        echo: str | None = None,
    ) -> None:
        self._set_up = set_up
        self._endpoint = endpoint
        self._top_logprobs = top_logprobs
        self._answer_format = answer_format
        self._echo = echo

    def choose(self, method: str | None, options: Sequence[tuple[str, ...]]) -> ChosenMethod:
        """The method, the model for it, and why.

        Args:
            method: the one that was asked for; `None` tries `loglikelihood`, `first_token` and `generate`.
            options: those of some of the prompts that are going to be scored; none where answers are free texts.

        Raises:
            ModelError: no method works, the server cannot be reached, or options cannot be first tokens.
        """
        if method == "first_token":
            return self._first_token(options)
        if method == "generate":
            return self._generate() if options else self._free_text()
        if method == "loglikelihood" and self._endpoint != "chat" and self._echo is None:
            # Where no way works, the self-test reports why the first one does not.
            return self._echoed() or ChosenMethod(method, self._set_up("completions", method))
        if method is not None:
            return ChosenMethod(method, self._set_up(self._endpoint or "completions", method))
        reasons: list[str] = []
        for attempt in (self._loglikelihood, lambda: self._first_token(options), self._generate):
            try:
                found = attempt()
            except ModelError as error:
                if _ends_trials(error):
                    raise
                reasons.append(error.problem)
                last = error
            else:
                return found._replace(notes=(*found.notes, *reasons))
        raise ModelError("; ".join(reasons), got=last.got, where=last.where, hint=last.hint)

    def _loglikelihood(self) -> ChosenMethod:
        if self._endpoint == "chat":
            raise ModelError("scoring loglikelihood does not work: the endpoint chat does not score given texts")
        reasons: list[ModelError] = []
        found = self._echoed(reasons.append)
        if found is None:
            raise _unable("loglikelihood", reasons[0], also=list(WAYS)[1 : len(reasons)])
        return found

    def _echoed(self, on_failed: Callable[[ModelError], None] = lambda _: None) -> ChosenMethod | None:
        """The first way to get the log-probabilities of prompts that works.

        Args:
            on_failed: called with the reason why a way does not work.
        """
        for echo in WAYS if self._echo is None else (self._echo,):
            model = self._set_up("completions", "loglikelihood", echo=echo)
            error = _tried(model, "loglikelihood")
            if error is None and isinstance(model, Echoes) and not (check := check_echo(model)).passed:
                error = ModelError(check.detail)
            if error is None:
                by = "" if echo == ECHO else f", in the field {echo}, and not by echo"
                note = f"scoring loglikelihood: the server returns the log-probabilities of prompts{by}"
                return ChosenMethod("loglikelihood", model, (note,))
            on_failed(error)
            if isinstance(error, NoEndpointError):
                return None  # servers with a way of their own have the endpoint completions, too
        return None

    def _first_token(self, options: Sequence[tuple[str, ...]]) -> ChosenMethod:
        if (long := next((each for each in options if not can_be_first_tokens(each)), None)) is not None:
            raise ModelError(
                "scoring first_token does not work: options of several words cannot be read from the first token",
                got=", ".join(repr(option) for option in long[:3])[:100],
                hint="Use wordings whose answers are letters ({{ letter }}, docs/wordings.md), or --scoring generate",
            )
        numbers = MOST_TOP_LOGPROBS if self._top_logprobs is None else (self._top_logprobs,)
        for number in numbers:
            model = self._set_up(self._endpoint or "chat", "first_token", top_logprobs=number)
            if (error := _tried(model, "first_token")) is not None:
                if number == numbers[-1]:
                    raise _unable("first_token", error)
                continue
            cap = (
                "" if number == MOST_TOP_LOGPROBS[0] else f", {number} of them, which is the most that the server gives"
            )
            note = f"scoring first_token: options are read from the most probable first tokens{cap}"
            return ChosenMethod("first_token", model, (note,))
        raise AssertionError("at least one number is tried")

    def _free_text(self) -> ChosenMethod:
        """For tasks without options, to which no answer can be constrained."""
        return ChosenMethod("generate", self._set_up(self._endpoint or "chat", "generate", answer_format=TEXT))

    def _generate(self) -> ChosenMethod:
        endpoint = self._endpoint or "chat"
        formats = ANSWER_FORMATS if self._answer_format is None else (self._answer_format,)
        failed = False
        for answer_format in formats:
            if failed and answer_format != TEXT:
                continue
            model = self._set_up(endpoint, "generate", answer_format=answer_format)
            found = _text_of(model)
            if isinstance(found, ModelError):
                # Some servers fail on a constraint that they do not know, and write free texts. If it is gone, that is
                # what the trial of free texts says.
                failed = failed or isinstance(found, NoAnswerError)
                if answer_format == formats[-1] or (_ends_trials(found) and not failed):
                    raise found
                continue
            if answer_format == TEXT:
                note = "scoring generate: the server follows no constraint of answers, so they are read from free texts"
                return ChosenMethod("generate", model, (note,))
            if is_honoured(answer_format, found):
                note = f"scoring generate: answers are constrained to the options ({answer_format})"
                return ChosenMethod("generate", model, (note,))
        raise ModelError(
            f"the server does not follow the answer format '{formats[-1]}'",
            where="--model-arg answer_format",
            hint="answer_format=text reads free texts",
        )


def _tried(model: Variant, method: str) -> ModelError | None:
    """Score the trial's options; the reason why that does not work.

    Raises:
        ModelError: no other way is tried.
    """
    try:
        model.score_options([_TRIAL], method=method)
    except ModelError as error:
        if _ends_trials(error):
            raise
        return error
    return None


def _unable(method: str, error: ModelError, *, also: Sequence[str] = ()) -> ModelError:
    others = f" (by {' and '.join(also)}, neither)" if also else ""
    return ModelError(
        f"scoring {method} does not work: {error.problem}{others}", got=error.got, where=error.where, hint=error.hint
    )


def _ends_trials(error: ModelError) -> bool:
    """Whether no other way is tried: the server is gone, refuses everything, or reports what cannot be probabilities.

    A server that only lacks an endpoint may have another one.
    """
    if isinstance(error, NoEndpointError):
        return False
    return isinstance(error, StoppedError | NoAnswerError | ImpossibleScoreError)


def _text_of(model: Variant) -> str | ModelError:
    found: list[OptionScores | ModelError] = []
    try:
        model.write_answers(
            [CONSTRAINT_TRIAL],
            max_new_tokens=_TRIAL_TOKENS,
            samplings=(GREEDY,),
            on_scores=lambda _, each: found.append(each),
        )
    except ModelError as error:
        return error
    return found[0] if isinstance(found[0], ModelError) else found[0].text or ""
