"""Asks a model for what its answers are read from: scores of options, or texts that it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from phraseproof.core import (
    Generates,
    Model,
    OptionScores,
    Prompt,
    Sampling,
    ScoresOptions,
    StreamsScores,
    WritesAnswers,
)
from phraseproof.errors import ModelError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.stop_strings import before_stop
from phraseproof.scoring.registry import reads_text, scorer

_FIRST_CALL_PROMPTS = 64
_MAX_CALL_PROMPTS = 8192
_CALL_TARGET_S = 20.0
"""For models that answer only at the end of a call: about so long a call takes."""

_TEXTS_AT_ONCE = 8
"""The same for texts: prompts per call."""

OnScores: TypeAlias = Callable[[int, OptionScores | ModelError], None]


def require_answers(model: Model, scoring: str) -> None:
    """Check that the model can give what the scorer reads.

    Raises:
        ModelError: it cannot.
    """
    if reads_text(scoring):
        if not isinstance(model, Generates | WritesAnswers):
            raise ModelError("the model cannot generate text", where=model.identity.name, hint="Use another --scoring")
    elif not isinstance(model, ScoresOptions):
        raise ModelError(
            "the model cannot score answer options", where=model.identity.name, hint="Use --scoring generate"
        )


class AskedModel:
    """Asks one model, in the way that a scorer needs.

    Args:
        model: what answers.
        settings: the scorer, and how texts are generated.
    """

    def __init__(self, model: Model, settings: EvaluationSpec) -> None:
        require_answers(model, settings.scoring)
        self._model = model
        self._settings = settings
        self._call_prompts = _FIRST_CALL_PROMPTS

    def stream(self, prompts: Sequence[Prompt], repeats: Sequence[int], on_scores: OnScores) -> None:
        """Hand over what comes back for each prompt, with its index.

        Args:
            prompts: any number of prompts.
            repeats: of each prompt the number of its repeat, which is added to the seed; only texts have repeats.
            on_scores: called once per prompt, in any order.

        Raises:
            ModelError: nothing more can be answered.
        """
        if not prompts:
            return
        if not reads_text(self._settings.scoring):
            self._score(prompts, on_scores)
            return
        settings, model = self._settings, self._model
        samplings = [
            Sampling(settings.temperature, settings.top_p, settings.seed + repeat, settings.top_k) for repeat in repeats
        ]
        if isinstance(model, WritesAnswers):
            model.write_answers(
                prompts,
                max_new_tokens=settings.answer_limit,
                samplings=samplings,
                on_scores=on_scores,
                stop=settings.stop,
            )
            return
        for sampling in dict.fromkeys(samplings):
            places = [index for index, each in enumerate(samplings) if each == sampling]
            self._write(
                [prompts[place] for place in places],
                sampling,
                lambda index, found, p=places: on_scores(p[index], found),
            )

    def _score(self, prompts: Sequence[Prompt], on_scores: OnScores) -> None:
        method = scorer(self._settings.scoring).model_method
        model = self._model
        if isinstance(model, StreamsScores):
            model.stream_scores(prompts, method=method, on_scores=on_scores)
            return
        assert isinstance(model, ScoresOptions), "checked at the start"
        for start, some in self._calls(prompts):
            for index, scores in enumerate(model.score_options(some, method=method)):
                on_scores(start + index, scores)

    def _write(self, prompts: Sequence[Prompt], sampling: Sampling, on_scores: OnScores) -> None:
        settings, model = self._settings, self._model
        assert isinstance(model, Generates), "checked at the start"
        for start in range(0, len(prompts), _TEXTS_AT_ONCE):
            some = prompts[start : start + _TEXTS_AT_ONCE]
            texts = model.generate(some, max_new_tokens=settings.answer_limit, sampling=sampling)
            for index, text in enumerate(texts):
                ended = before_stop(text, settings.stop)
                on_scores(start + index, OptionScores((), prompt_tokens=0, computed_tokens=0, text=ended))

    def _calls(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Sequence[Prompt]]]:
        """Prompts by calls of a length that suits the model's speed, each with the place of its first prompt."""
        start = 0
        while start < len(prompts):
            some = prompts[start : start + self._call_prompts]
            before = time.perf_counter()
            yield start, some
            start += len(some)
            per_second = len(some) / max(time.perf_counter() - before, 1e-3)
            self._call_prompts = max(
                1, round(min(_MAX_CALL_PROMPTS, 4 * self._call_prompts, _CALL_TARGET_S * per_second))
            )
