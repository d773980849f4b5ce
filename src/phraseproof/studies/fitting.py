"""What a study makes of a request: options that have no effect on it are refused, or left out of `study all`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from phraseproof.errors import UsageError
from phraseproof.models.options import ModelOptions
from phraseproof.studies.command import option_of
from phraseproof.studies.material import material_of
from phraseproof.studies.registry import STUDIES
from phraseproof.studies.study import Study, StudyRequest
from phraseproof.studies.used_options import LOADING, TWO_GROUPS

_MANY = 9
"""An option of more studies is one of nearly all."""


class Concern(NamedTuple):
    """The part of a request that concerns a study.

    Attributes:
        request: the options that have an effect on it.
        left_out: the others, as users name them: `--seeds`, or `--instructions closest=...` for a group of wordings.
    """

    request: StudyRequest
    left_out: tuple[str, ...]


def fitting(of: Study, request: StudyRequest) -> StudyRequest:
    """The request, checked. A study of several models takes the sizes of the family of one, where they are shipped.

    Raises:
        UsageError: models and runs, too few of them, or an option that has no effect on the study.
    """
    if request.models and request.runs:
        raise UsageError("models and run folders are both named", expected="--model or --run", where="--run")
    if request.paraphraser_args and not request.paraphrasers:
        raise UsageError("--paraphraser-arg requires --paraphraser", where="--paraphraser-arg")
    _refuse_without_effect(of, request)
    if len(request.models) == 1 and of.min_models > 1:
        request = replace(request, models=material_of(request.models[0]).sizes or request.models)
    count = len(request.models) + len(request.runs)
    if count < of.min_models:
        raise UsageError(
            f"the study {of.name!r} needs {of.needs}",
            expected=f"at least {of.min_models} of --model or --run",
            got=str(count),
            where="--model",
        )
    return request


def given(request: StudyRequest) -> Iterator[str]:
    """The fields of a request, and of its options of models, that differ from their defaults."""
    for of, usual in ((request, StudyRequest()), (request.model_options, ModelOptions())):
        for each in fields(of):
            if each.name != "model_options" and getattr(of, each.name) != getattr(usual, each.name):
                yield each.name


def concerning(of: Study, request: StudyRequest, of_others: Collection[str] = ()) -> Concern:
    """The part of a request that concerns one of several studies; `of_others` are groups of wordings of other ones."""
    reduced, left_out = request, list[str]()
    # What the study is made of comes first: it decides what else has an effect.
    for names in (("models", "runs"), tuple(given(request))):
        useless = [name for name in _without_effect(of, reduced) if name in names]
        left_out += map(option_of, useless)
        reduced = _without(reduced, useless)
    unknown = _unknown_groups(of, reduced)
    if not of.options.of_others:
        unknown += [name for name in reduced.instructions if name in of_others]
    left_out += [f"--instructions {name}=..." for name in unknown]
    known = {name: found for name, found in reduced.instructions.items() if name not in unknown}
    return Concern(replace(reduced, instructions=known), tuple(left_out))


def concerning_each(studies: Sequence[Study], request: StudyRequest) -> list[Concern]:
    """The parts of a request that concern studies, in their order.

    Raises:
        UsageError: an option has an effect on none of them.
    """
    named = frozenset[str]().union(*(of.options.groups or () for of in studies)) - TWO_GROUPS
    found = [concerning(of, request, named) for of in studies]
    without = "" if request.models else " without a model"
    for option in found[0].left_out:
        if all(option in each.left_out for each in found):
            raise UsageError(f"{option} has no effect on any study{without}")
    return found


def _refuse_without_effect(of: Study, request: StudyRequest) -> None:
    if useless := _without_effect(of, request):
        option = option_of(useless[0])
        if useless[0] not in of.options.anywhere():
            users = [each.name for each in STUDIES if useless[0] in each.options.anywhere()]
            raise UsageError(
                f"{option} has no effect on the study {of.name!r}",
                hint=f"It is an option of: {', '.join(users)}" if len(users) <= _MANY else "Leave it out",
            )
        if request.runs:
            raise UsageError(f"{option} has no effect on a run that is used as it is", where="--run")
        raise UsageError(f"{option} has no effect without a model", where="--model")
    if unknown := _unknown_groups(of, request):
        raise UsageError(
            f"the study has no group of wordings {unknown[0]!r}",
            expected=f"one of: {', '.join(sorted(of.options.groups or ()))}",
            where="--instructions",
        )


def _without_effect(of: Study, request: StudyRequest) -> list[str]:
    used = of.options.of({name: getattr(request, name) for name in ("models", "runs", "paraphrasers")})
    return [name for name in given(request) if name not in used]


def _unknown_groups(of: Study, request: StudyRequest) -> list[str]:
    known = of.options.groups
    return [] if known is None else [name for name in request.instructions if name not in known]


def _without(request: StudyRequest, names: Sequence[str]) -> StudyRequest:
    """The request with the defaults of some fields."""
    usual = {False: StudyRequest(), True: ModelOptions()}
    own: dict[bool, dict[str, Any]] = {False: {}, True: {}}
    for name in names:
        own[name in LOADING][name] = getattr(usual[name in LOADING], name)
    return replace(request, **own[False], model_options=replace(request.model_options, **own[True]))
