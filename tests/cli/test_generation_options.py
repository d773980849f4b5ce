"""`--gen-kwargs` and `--stop`, as fields of the spec."""

from __future__ import annotations

import pytest

from phraseproof.cli.generation_options import generation_options
from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec


def test_settings_are_read_in_one_option_or_several() -> None:
    found = generation_options(
        ["temperature=0.7,top_p=0.9", "top_k=50, max_new_tokens=64", "stop=###,stop=Q:"], [r"\n"]
    )
    assert found == {
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 50,
        "max_new_tokens": 64,
        "stop": ("\n", "###", "Q:"),
    }
    assert EvaluationSpec().with_changes(**found).generation["stop"] == ["\n", "###", "Q:"]
    assert generation_options([], []) == {}


def test_escapes_in_stop_strings() -> None:
    assert generation_options([], [r"a\n\tb", r"\\n", "a,b"])["stop"] == ("a\n\tb", r"\n", "a,b")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("topp=0.9", "unknown setting 'topp' .*temperature, top_p, top_k, stop, max_new_tokens"),
        ("until=x", "Did you mean 'stop'"),
        ("max_gen_toks=5", "Did you mean 'max_new_tokens'"),
        ("top_p", "NAME=VALUE"),
        ("top_k=many", "not a number"),
        ("top_k=1,top_k=2", "'top_k' is given twice"),
    ],
)
def test_what_cannot_be_read_is_named(value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        generation_options([value], [])
