"""A study that is named by its stored spec: the request in it, changed by the options of the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from phraseproof.studies.study import StudyRequest

_FIELDS: Final[Mapping[str, str]] = {
    "model": "models",
    "run": "runs",
    "observed": "instructions",
    "unobserved": "instructions",
    "paraphraser": "paraphrasers",
    "paraphraser_arg": "paraphraser_args",
    "model_arg": "args",
    "base_url": "args",
}
"""Options that are not called as the fields of the request or of its options of the model."""


def spec_file(name: str) -> Path | None:
    """The file that a name of a study means, if it means one: a spec, or the folder of an exhibit with a spec."""
    from phraseproof.studies.spec import SPEC_FILE

    path = Path(name)
    if path.suffix == ".json":
        return path
    return path / SPEC_FILE if (path / SPEC_FILE).is_file() else None


def changed(stored: StudyRequest, options: StudyRequest, given: Collection[str]) -> StudyRequest:
    """The stored request with the options that were given.

    Groups of wordings, and arguments of models and of paraphrasers, are replaced one by one; a model replaces runs, and
    runs replace models.

    Args:
        stored: from the spec.
        options: the request that the command line makes, with its defaults.
        given: the names of the parameters that are on the command line.
    """
    names = {_FIELDS.get(name, name) for name in given}
    found: dict[str, Any] = {each.name: getattr(options, each.name) for each in fields(options) if each.name in names}
    if "instructions" in found:
        found["instructions"] = {**stored.instructions, **options.instructions}
    if "paraphraser_args" in found:
        found["paraphraser_args"] = {**stored.paraphraser_args, **options.paraphraser_args}
    if "models" in found or "runs" in found:
        found = {"models": (), "runs": (), **found}
    loading: dict[str, Any] = {
        each.name: getattr(options.model_options, each.name)
        for each in fields(options.model_options)
        if each.name in names
    }
    if "args" in loading:
        loading["args"] = {**stored.model_options.args, **options.model_options.args}
    return replace(stored, **found, model_options=replace(stored.model_options, **loading))
