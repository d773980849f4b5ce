from __future__ import annotations

import pytest

from phraseproof.core import Outcome
from phraseproof.scoring import patterns
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.texts.regex import make

TEXT = "First I thought Answer: Rome.\nAnswer: the Paris!"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Answer: (.+)", 1.0),  # the last match decides
        ("First (.+)", 0.0),
        ("Reply: (.+)", 0.0),
        (r"the {reference}\b", 1.0),
        ("Rome.*{reference}", 0.0),  # a dot is no line break
        ("(?s)Rome.*{reference}", 1.0),
        ("^First", 1.0),
        ("(?i)LONDON", 0.0),
    ],
)
def test_a_pattern_extracts_or_contains_the_reference_or_is_found(pattern: str, expected: float) -> None:
    outcome = Outcome("1", 0.0, text=TEXT, reference="Lutetia", other_references=("Paris",))
    assert make(pattern).score(outcome) == expected


def test_signs_of_the_reference_are_no_pattern() -> None:
    assert make("= {reference}$").score(Outcome("1", 0.0, text="x = 1+1", reference="1+1")) == 1.0
    assert make("= {reference}$").score(Outcome("1", 0.0, text="x = 11", reference="1+1")) == 0.0


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(?:a|aa)+$", "(?:a|aa)+{reference}"])
def test_a_pattern_that_takes_too_long_names_the_example(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LIMIT_S", 0.05)
    metric = make(pattern)
    assert metric.score(Outcome("1", 0.0, text="aaaa", reference="a")) == 1.0
    with pytest.raises(SlowPatternError, match=r"^--metric regex:PATTERN: .* on the text of the example 'q2'"):
        metric.score(Outcome("q2", 0.0, text="a" * 300 + "!b", reference="b"))
