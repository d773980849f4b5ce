"""Errors: one line that says what was expected, what was found, where, and what to do."""

from __future__ import annotations

import inspect
import pickle
from copy import copy as copy_of

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof import errors
from phraseproof.errors import FileError, LimitReachedError, MissingExtraError, PhraseproofError, UsageError, printable

TREE = [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, PhraseproofError)]


def test_everything_that_is_said_comes_in_its_place() -> None:
    error = FileError(
        "unknown field 'lables'", expected="labels", got="lables", where="t.yaml:3, lables", hint="Mend it"
    )
    assert str(error) == "t.yaml:3, lables: unknown field 'lables' (expected labels, got lables). Mend it"
    assert (error.problem, error.expected, error.got) == ("unknown field 'lables'", "labels", "lables")


def test_what_is_not_said_leaves_no_trace() -> None:
    assert str(UsageError("no task")) == "no task"
    assert str(UsageError("no task", got="")) == "no task"
    assert str(UsageError("no task", hint="Name one")) == "no task. Name one"


@given(st.text(), st.none() | st.text(), st.none() | st.text(), st.none() | st.text(), st.none() | st.text())
def test_an_error_is_one_line_whatever_it_is_made_of(
    problem: str, expected: str | None, got: str | None, where: str | None, hint: str | None
) -> None:
    line = str(PhraseproofError(problem, expected=expected, got=got, where=where, hint=hint))
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_every_error_is_the_users_to_mend_and_says_what_it_means(kind: type[PhraseproofError]) -> None:
    # A limit that the user set ends a run as planned: what is missing is counted, as in a run that was stopped.
    assert kind.exit_code == (4 if kind is LimitReachedError else 2)
    assert inspect.getdoc(kind)


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = MissingExtraError("scoring", extra="hf", package="torch")
    assert str(error) == (
        "scoring needs the package torch, which is not installed. Install it with: pip install 'phraseproof[hf]'"
    )


def test_an_error_is_raised_and_caught_by_its_base() -> None:
    with pytest.raises(PhraseproofError, match="no such file"):
        raise FileError("no such file", where="x.yaml")


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_survives_another_process(kind: type[PhraseproofError]) -> None:
    given = {"extra": "hf", "package": "torch"} if kind is MissingExtraError else {"got": "none", "hint": "Name one"}
    error = kind("no task", **given)
    error.add_note("in the first task")
    for copy in (pickle.loads(pickle.dumps(error)), copy_of(error)):
        assert (type(copy), str(copy), copy.args) == (kind, str(error), error.args)
        assert vars(copy) == vars(error)


def test_what_a_terminal_would_obey_is_shown_as_escapes() -> None:
    error = FileError("no \x1b]0;pwn\x07\x1b[2J", got="a\u202eb\ud800 \u00e9\x9b", where="f.csv:1")
    assert str(error) == "f.csv:1: no \\x1b]0;pwn\\x07\\x1b[2J (got a\\u202eb\\ud800 \u00e9\\x9b)"
    assert printable("two\nlines\tand \U0001f600") == "two\nlines\tand \U0001f600"
