"""Targets that the reference wording gives: what a model answers before it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet, TeacherRecord
from phraseproof.alignment.pairs.tokens import prompts_of
from phraseproof.core import ScoresOptions
from phraseproof.errors import UsageError
from phraseproof.instructions.render import resolve_format

if TYPE_CHECKING:
    from phraseproof.alignment.settings import Labels
    from phraseproof.core import Model, Prompt
    from phraseproof.models.huggingface.model import HuggingFaceModel
    from phraseproof.models.huggingface.trainable import ModelToTrain

LONGEST_ANSWER = 64
"""The most tokens of an answer that is written, for pairs without options."""

TEACHER = "reference"


def with_reference_answers(
    pairs: Sequence[ParaphraseSet], model: HuggingFaceModel, *, prompt_format: str, labels: Labels = "given"
) -> list[ParaphraseSet]:
    """Give pairs without a target the answer of their reference wording; with `labels="none"`, all pairs.

    The answer is the most probable option by log-likelihood. For a pair without options it is the greedy text of at
    most `LONGEST_ANSWER` tokens. With `labels="none"` no pair is labelled, and those with a teacher's answer keep it.

    Args:
        pairs: any number of pairs.
        model: the model before training, with the adapter that training starts from, if any; its weights are loaded
            if any pair needs an answer.
        prompt_format: the format of prompts.
        labels: whether targets are labels.

    Raises:
        UsageError: the model writes nothing for a pair without options.
    """
    found = list(pairs)
    if labels == "none":
        found = [replace(pair, labelled=False, option_probabilities=()) for pair in found]
    asked = [
        place for place, pair in enumerate(found) if not pair.target or (labels == "none" and pair.teacher is None)
    ]
    for place, target in zip(asked, _answers([found[place] for place in asked], model, prompt_format), strict=True):
        pair = found[place]
        if not target.strip():
            raise UsageError(
                "the model writes nothing under the reference wording, so there is no answer to compare wordings on",
                where=pair.source or None,
                hint="Give the pair options or a target",
            )
        record = TeacherRecord(TEACHER, model.identity.name, (pair.instruction,))
        found[place] = replace(pair, target=target, teacher=record, option_probabilities=())
    return found


def most_probable_options(pairs: Sequence[ParaphraseSet], model: ModelToTrain, prompt_format: str) -> list[str]:
    """The option of each pair that is most probable under its reference wording.

    Args:
        pairs: any number of pairs with options.
        model: the model before training; its weights are loaded if there are pairs.
        prompt_format: the format of prompts.
    """
    if not pairs:
        return []
    assert isinstance(model, ScoresOptions), "a model whose weights are read"
    scored = model.score_options(_prompts(pairs, model, prompt_format))
    best = [max(range(len(each.logprobs)), key=each.logprobs.__getitem__) for each in scored]
    return [pair.options[place] for pair, place in zip(pairs, best, strict=True)]


def _answers(pairs: Sequence[ParaphraseSet], model: HuggingFaceModel, prompt_format: str) -> list[str]:
    chosen = iter(most_probable_options([pair for pair in pairs if pair.options], model, prompt_format))
    texts = [pair for pair in pairs if not pair.options]
    prompts = _prompts(texts, model, prompt_format)
    written = iter(model.generate(prompts, max_new_tokens=LONGEST_ANSWER) if texts else ())
    return [next(chosen if pair.options else written) for pair in pairs]


def _prompts(pairs: Sequence[ParaphraseSet], model: ModelToTrain, prompt_format: str) -> list[Prompt]:
    # A cached property satisfies the protocol's property, but type checkers do not accept that.
    format_name = resolve_format(prompt_format, cast("Model", model))
    return [prompts_of(pair, prompt_format=format_name, chat_model=model, options=pair.options)[0] for pair in pairs]
