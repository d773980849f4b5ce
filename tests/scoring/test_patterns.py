from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import UsageError
from phraseproof.scoring import patterns
from phraseproof.scoring.patterns import Pattern, SlowPatternError

ATOMS = st.one_of(
    st.sampled_from(list("ab.^${} ")),
    st.sampled_from(["[ab]", "[^a{]", r"\w", r"\b", r"\{", "{e}", "{d<=1}", "{a}", r"\N{DIGIT ONE}"]),
    st.sampled_from([r"\W", r"\B", r"[\w{]", r"[\W_]", r"[^\W\d]", "[a[:alpha:]", "[]a]", r"[\]a]", "(?#[)", "(?:b)"]),
)
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{,2}", "{1,}", "*?", "++"])
PATTERNS = st.recursive(
    st.tuples(ATOMS, REPEATS).map("".join),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map("".join),
        st.lists(parts, min_size=1, max_size=3).map(lambda each: f"({'|'.join(each)})"),
        parts.map(lambda each: f"(?:{each})?"),
    ),
    max_leaves=6,
)


def is_known(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


@given(PATTERNS.filter(is_known), st.text("ab1 {}e\n[:]\u0301\u00b2\u093f_\u203f", max_size=12))
def test_a_pattern_means_what_it_means_to_python(text: str, searched: str) -> None:
    expected = [found.group() for found in re.finditer(text, searched)]
    pattern = Pattern(text, "--metric")
    found = pattern.last(searched)
    assert (None if found is None else found.group(0)) == (expected[-1] if expected else None)
    assert pattern.finds(searched) == bool(expected)
    assert pattern.groups == re.compile(text).groups


@pytest.mark.parametrize(
    ("text", "searched", "last"),
    [
        (r"\w+", "a\u0301b", "b"),  # a mark over a letter is no part of a word to Python
        (r"\b\w", "m\u00b2", "m"),  # a superscript is
        (r"(?a)\w+", "caf\u00e9", "caf"),
        (r"(?a:\w+)", "caf\u00e9", "caf"),
        (r"(?x) \w+ # [ no set: \w", "no \u0939\u093f", "\u0939"),
        ("[a[:alpha:]]", "a]", "a]"),
    ],
)
def test_words_and_sets_are_those_of_python(text: str, searched: str, last: str) -> None:
    assert [found.group() for found in re.finditer(text, searched)][-1] == last
    found = Pattern(text, "--metric").last(searched)
    assert found is not None
    assert found.group(0) == last


def test_a_pattern_that_takes_too_long_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LIMIT_S", 0.05)
    pattern = Pattern(r"(a|aa)+$", "--metric regex:PATTERN")
    with pytest.raises(SlowPatternError) as caught:
        pattern.last("a" * 200 + "!")
    line = str(caught.value.of_example("q7"))
    assert line.startswith(
        "--metric regex:PATTERN: the pattern '(a|aa)+$' takes more than 0.05 seconds on the text of the example 'q7' "
        f"(got '{'a' * 60}...'). Change the pattern"
    )
    assert pattern.finds("aaa")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(", "no regular expression: missing"),
        (r"\p{L}", r"no regular expression: bad escape \\p"),
        ("[[:alpha:]]", "no regular expression: Possible nested set"),
        ("a{99999999999999999999}", "no regular expression"),
    ],
)
def test_what_python_does_not_know_or_will_change_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Pattern(text, "--extract")
