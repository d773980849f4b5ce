"""Shared options: every command shows them in the same panels, with the same defaults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import typer.main

from phraseproof.cli import app, options
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models import ModelOptions


def test_every_shared_option_has_a_panel() -> None:
    found = 0
    for name, declared in vars(options).items():
        for option in getattr(declared, "__metadata__", ()):
            if name[0].isupper() and type(option).__name__ == "OptionInfo":
                assert option.rich_help_panel, name
                found += 1
    assert found > 15


SPEC_OF_PARAMETER = {"fewshot_seed": "fewshot_seeds"}
OWN_DEFAULTS = {("represent", "limit"): 300}
"""Commands whose default differs from an evaluation's, on purpose."""


def parameters() -> Iterator[tuple[str, Any]]:
    """Every option of every command, under the command's name."""
    waiting: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        members = getattr(command, "commands", {})
        waiting += [(f"{name} {inner}".strip(), each) for inner, each in members.items()]
        yield from ((name, parameter) for parameter in command.params)


def as_in_spec(value: object) -> object:
    """A default of the command line as the spec has it."""
    if isinstance(value, str) and value.isdigit():
        return (int(value),)
    return value


def test_defaults_of_evaluate_are_those_of_the_spec() -> None:
    """Also of those that are never passed on because the spec has them: `--help` prints them."""
    spec, checked = EvaluationSpec(), set[str]()
    for name, parameter in parameters():
        field = SPEC_OF_PARAMETER.get(parameter.name or "", parameter.name or "")
        if name == "evaluate" and field in EvaluationSpec.model_fields and not getattr(parameter, "multiple", False):
            expected = getattr(spec, field)
            assert as_in_spec(parameter.default) == (expected or None if field == "model" else expected), field
            checked.add(field)
    assert checked == EvaluationSpec.model_fields.keys() - {
        *("model_options", "tasks", "instructions"),
        *("top_p", "top_k", "stop"),  # of --gen-kwargs and --stop
    }


def test_other_commands_have_the_same_defaults() -> None:
    """`represent` takes one number of demonstrations and one seed of their draw."""
    spec, checked = EvaluationSpec(), set[str]()
    for name, parameter in parameters():
        field = SPEC_OF_PARAMETER.get(parameter.name or "", parameter.name or "")
        if name == "represent" and field in {"num_fewshot", "fewshot_seeds", "limit", "seed", "prompt_format"}:
            default = getattr(spec, field)
            expected = default[0] if isinstance(default, tuple) else default
            assert parameter.default == OWN_DEFAULTS.get((name, field), expected), field
            checked.add(field)
    assert len(checked) == 5


def test_model_options_have_the_defaults_of_loading_a_model() -> None:
    defaults, seen = ModelOptions(), defaultdict[str, set[str]](set)
    for name, parameter in parameters():
        field = parameter.name or ""
        if hasattr(defaults, field) and parameter.default is not None and not getattr(parameter, "multiple", False):
            expected = getattr(defaults, field)
            assert parameter.default == ("auto" if field == "batch_size" else expected), f"{name} {field}"
            seen[field].add(name)
    assert seen["dtype"] >= {"evaluate", "represent", "align"}
    assert "evaluate" in seen["batch_size"] & seen["device"]
