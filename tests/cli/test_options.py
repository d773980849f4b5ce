"""Shared options: what their texts mean, and that every command shows them in the same panels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from phraseproof.cli import app, options
from phraseproof.cli.options import joined, model_options, read_group_order, read_groups, read_numbers
from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models import ModelOptions


@pytest.mark.parametrize(
    ("named", "observed", "unobserved", "groups"),
    [
        (["a=x"], None, None, {"a": "x"}),
        (["a=x", "b=y,z", "a=w"], None, None, {"a": "x,w", "b": "y,z"}),
        ([], ["x"], ["y"], {"observed": "x", "unobserved": "y"}),
        ([], ["x", "y,z"], None, {"observed": "x,y,z"}),
        (["unobserved=x"], None, ["y"], {"unobserved": "x,y"}),
        (["a=runs=odd.yaml"], None, None, {"a": "runs=odd.yaml"}),
    ],
)
def test_groups(
    named: list[str], observed: list[str] | None, unobserved: list[str] | None, groups: dict[str, str]
) -> None:
    assert read_groups(named, observed, unobserved) == groups


@pytest.mark.parametrize("entry", ["a", "=x", "a=", "="])
def test_groups_that_are_none(entry: str) -> None:
    with pytest.raises(UsageError, match="expected GROUP=WORDINGS"):
        read_groups([entry], None, None)


def test_numbers() -> None:
    assert read_numbers("5", "-k") == (5,)
    assert read_numbers("0, 5", "-k") == (0, 5)
    for text in ("", "1,", "x", "1.5"):
        with pytest.raises(UsageError, match="-k: not a number"):
            read_numbers(text, "-k")


def test_options_of_the_model() -> None:
    common = {
        "adapter": None,
        "dtype": "auto",
        "device": "auto",
        "max_length": None,
        "revision": None,
        "trust_remote_code": False,
    }
    options = model_options(**common, batch_size="8", model_arg=["rule=first", "note=a=b"])  # pyright: ignore[reportArgumentType]
    assert options.batch_size == 8
    assert options.args == {"rule": "first", "note": "a=b"}
    assert model_options(**common, batch_size="auto", model_arg=[]).batch_size is None  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("size", ["0", "-1", "many", "1.5"])
def test_a_batch_size_that_is_none(size: str) -> None:
    with pytest.raises(UsageError, match="--batch-size: not a batch size"):
        model_options(
            adapter=None,
            dtype="auto",
            device="auto",
            batch_size=size,
            max_length=None,
            revision=None,
            trust_remote_code=False,
            model_arg=[],
        )


def test_group_order() -> None:
    assert read_group_order(None) == []
    assert read_group_order("b, a") == ["b", "a"]
    with pytest.raises(UsageError, match="--group-order: a group has no name"):
        read_group_order("a,,b")


def test_joined() -> None:
    assert joined(None) == ""
    assert joined(["a", "b,c"]) == "a,b,c"


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
    assert checked == EvaluationSpec.model_fields.keys() - {"model_options", "tasks", "instructions"}


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
