"""What the texts of options mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.cli.option_values import (
    joined,
    model_options,
    read_group_order,
    read_groups,
    read_names,
    read_numbers,
    read_system,
)
from phraseproof.errors import UsageError
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


def test_wordings_without_a_group_get_an_example_of_one() -> None:
    with pytest.raises(UsageError, match=r"as in --instructions mine=composed$"):
        read_groups(["composed"], None, None)


def test_numbers() -> None:
    assert read_numbers("5", "-k") == (5,)
    assert read_numbers("0, 5", "-k") == (0, 5)
    for text in ("", "1,", "x", "1.5"):
        with pytest.raises(UsageError, match="-k: not a number"):
            read_numbers(text, "-k")


def options_with(batch_size: str = "auto", model_arg: list[str] | None = None, **changes: Any) -> ModelOptions:
    """The options of a model whose other options are at their defaults."""
    return model_options(
        adapter=None,
        dtype="auto",
        device="auto",
        batch_size=batch_size,
        max_length=None,
        revision=None,
        trust_remote_code=False,
        model_arg=model_arg or [],
        **changes,
    )


def test_options_of_the_model() -> None:
    options = options_with("8", ["rule=first", "note=a=b"])
    assert options.batch_size == 8
    assert options.args == {"rule": "first", "note": "a=b"}
    assert options_with().batch_size is None


def test_arguments_of_the_chat_template() -> None:
    given = ["enable_thinking=false", "effort=3", "share=0.5", "who=Ada", "note=null", "list=[1]"]
    found = options_with(chat_template_arg=given)
    assert found.chat_template_args == {
        "enable_thinking": False,
        "effort": 3,
        "share": 0.5,
        "who": "Ada",
        "note": "null",
        "list": "[1]",
    }
    with pytest.raises(UsageError, match="--chat-template-arg: not an argument with its value"):
        options_with(chat_template_arg=["enable_thinking"])


def test_a_system_prompt_is_a_text_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("system.txt").write_text("You sort mail.\nBe brief.\n", encoding="utf-8")
    assert read_system("system.txt") == "You sort mail.\nBe brief."
    assert read_system("You sort mail.") == "You sort mail."
    assert read_system(None) is None
    with pytest.raises(UsageError, match=r"no file 'sytem.txt'"):
        read_system("sytem.txt")


@pytest.mark.parametrize("size", ["0", "-1", "many", "1.5"])
def test_a_batch_size_that_is_none(size: str) -> None:
    with pytest.raises(UsageError, match="--batch-size: not a batch size"):
        options_with(size)


def test_group_order() -> None:
    assert read_group_order(None) == []
    assert read_group_order("b, a") == ["b", "a"]
    with pytest.raises(UsageError, match="--group-order: a group has no name"):
        read_group_order("a,,b")


def test_joined() -> None:
    assert joined(None) == ""
    assert joined(["a", "b,c"]) == "a,b,c"


def test_names() -> None:
    assert read_names(["a", "b, c", ","]) == ("a", "b", "c")
    assert read_names(None) == ()
