from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest

from phraseproof.errors import UsageError
from phraseproof.scoring import registry
from phraseproof.scoring.registry import METRICS_GROUP, SCORERS_GROUP, metric, metric_names, scorer, scorer_names
from phraseproof.scoring.scorer import Scorer


class Shortest(Scorer):
    name = "shortest"
    model_method = "loglikelihood"

    def values(self, option_logprobs: Sequence[float], options: Sequence[str]) -> list[float]:
        return [-float(len(option)) for option in options]


def test_what_ships_asks_for_methods_that_models_know() -> None:
    assert scorer_names()[:3] == ["loglikelihood", "loglikelihood_norm", "paper"]
    assert {name: scorer(name).model_method for name in scorer_names()[:3]} == {
        "loglikelihood": "loglikelihood",
        "loglikelihood_norm": "loglikelihood",
        "paper": "paper",
    }
    assert metric_names()[0] == "accuracy"
    assert metric("accuracy").name == "accuracy"


def test_unknown_names_are_one_line_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown scoring method 'acc' .*loglikelihood_norm") as caught:
        scorer("acc")
    assert "--scoring" in str(caught.value)
    with pytest.raises(UsageError, match=r"unknown metric 'blue' .*accuracy"):
        metric("blue")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("rouge2:3", "the metric 'rouge2' takes no argument"),
        ("regex", "the metric 'regex' needs an argument"),
        ("regex:", "the metric 'regex:' lacks its argument"),
        ("regex:(", "no regular expression"),
        ("chrf:9", "unknown argument of chrf"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        metric(name)


def test_every_shipped_metric_has_the_name_it_is_found_by() -> None:
    names = [name for name in metric_names() if name not in ("regex", "judge", "imported", "lm_eval")]
    names += ["imported:acc", "regex:a:b", "chrf:2", "bleu:zh", "judge:summary@openai/x", "lm_eval:exact_match/clean"]
    assert [metric(name).name for name in names] == names
    assert metric("chrf:2") is metric("chrf:2")


def test_a_scorer_with_an_argument_is_found_by_its_name() -> None:
    pattern = r"generate:regex:(a|b)+,{1,2}"
    assert scorer(pattern).name == pattern
    assert scorer(pattern) is scorer(pattern)
    assert registry.reads_text(pattern)
    assert registry.knows_scorer(pattern)
    assert not registry.knows_scorer("of-a-package:last_line")
    assert registry.with_argument("generate", "last_line") == "generate:last_line"
    assert registry.with_argument("generate:conclusion", "last_line") == "generate:conclusion"
    with pytest.raises(UsageError, match="'loglikelihood' takes no argument"):
        scorer("loglikelihood:last_line")
    with pytest.raises(UsageError, match="unknown way to read"):
        scorer("generate:")


def test_commas_inside_patterns_separate_no_scorers() -> None:
    names = r"loglikelihood, generate:regex:\d{1,2}, end,generate:last_line,paper,auto"
    assert registry.split_scorings(names) == (
        "loglikelihood",
        r"generate:regex:\d{1,2}, end",
        "generate:last_line",
        "paper",
        "auto",
    )
    assert registry.split_scorings("a,,b") == ("a", "", "b")


def test_an_installed_package_announces_a_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    announced = {
        SCORERS_GROUP: [
            EntryPoint("shortest", "scoring.test_registry:Shortest", SCORERS_GROUP),
            EntryPoint("wrong", "builtins:len", SCORERS_GROUP),
        ],
        METRICS_GROUP: [],
    }
    monkeypatch.setattr(registry, "entry_points", lambda group: announced[group])
    monkeypatch.setattr(EntryPoint, "load", lambda self: Shortest if self.name == "shortest" else len)
    assert scorer_names()[-2:] == ["shortest", "wrong"]
    assert scorer("shortest").choose([0.0, 0.0], ["abc", "a"]) == 1
    with pytest.raises(UsageError, match=r"'wrong' cannot be used .*a Scorer named 'wrong'"):
        scorer("wrong")
