from __future__ import annotations

import math
import subprocess
import sys

import pytest

from phraseproof import core
from phraseproof.core import ChatMessage, ForecastsTokens, FormatsChat, Generates, Prompt, ScoresOptions
from phraseproof.errors import ModelError, PhraseproofError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted import ScriptedModel

PROMPTS = [
    Prompt("Is the sea salty?", ("yes it is", "no")),
    Prompt("Which one?", ("A", "B", "C", "D")),
    Prompt("Is the sea salty?", ("no", "yes it is")),
]


def test_it_has_every_capability() -> None:
    model = ScriptedModel()
    for capability in (ScoresOptions, ForecastsTokens, FormatsChat, core.TestsItself, Generates):
        assert isinstance(model, capability)


def test_scores_are_log_probabilities_that_depend_on_nothing_but_seed_prompt_and_option() -> None:
    scored = ScriptedModel().score_options(PROMPTS)
    for one in scored:
        assert math.isclose(sum(math.exp(value) for value in one.logprobs), 1)
    assert scored[0].logprobs == scored[2].logprobs[::-1]
    assert ScriptedModel().score_options(PROMPTS[::-1])[::-1] == scored
    assert ScriptedModel(seed=1).score_options(PROMPTS) != scored


def test_a_rule_of_ones_own_and_progress() -> None:
    done: list[int] = []
    model = ScriptedModel(lambda prompt, option: 5.0 if option == "B" else 0.0)
    (scores,) = model.score_options(PROMPTS[1:2], on_done=done.append)
    assert scores.logprobs.index(max(scores.logprobs)) == 1
    assert scores.prompt_tokens == 2
    assert scores.computed_tokens == 6
    assert scores.asked_tokens == 12
    assert done == [1]


@pytest.mark.parametrize(
    ("rule", "prompt", "choice"),
    [
        ("first", Prompt("?", ("b", "a")), 0),
        ("longest", Prompt("?", ("a", "bbb", "cc")), 1),
        ("overlap", Prompt("the red house", ("blue", "red house")), 1),
    ],
)
def test_the_rules_by_name(rule: str, prompt: Prompt, choice: int) -> None:
    model = load_model("scripted", ModelOptions(args={"rule": rule}))
    assert isinstance(model, ScriptedModel)
    logprobs = model.score_options([prompt])[0].logprobs
    assert logprobs.index(max(logprobs)) == choice
    assert model.identity.settings["rule"] == rule


def test_forecast_counts_equal_prompts_once() -> None:
    forecast = ScriptedModel().forecast_tokens(PROMPTS)
    assert forecast.asked == (4 * 2 + 4) + (2 * 4 + 4) + (4 * 2 + 4)
    assert forecast.unique == (4 + 4) + (2 + 4) + 4


def test_chat_only_when_asked() -> None:
    messages = [ChatMessage("user", "Hi"), ChatMessage("assistant", "Yes?"), ChatMessage("user", "Well")]
    model = load_model("scripted", ModelOptions(args={"chat": "true"}))
    assert isinstance(model, ScriptedModel)
    assert model.has_chat_template
    text = model.format_chat(messages)
    assert text.startswith("<user>Hi</user>")
    assert text.endswith("<assistant>")
    with pytest.raises(ModelError, match="no chat template"):
        ScriptedModel().format_chat(messages)


def test_generation_and_self_test() -> None:
    model = ScriptedModel(lambda prompt, option: float(len(option)))
    assert model.generate(PROMPTS[:1], max_new_tokens=2) == ["yes it"]
    assert model.generate([Prompt("one two three")], max_new_tokens=1) == ["three"]
    assert all(check.passed for check in model.self_test(PROMPTS))
    assert not all(check.passed for check in model.self_test([Prompt("?", ("a", "a"))]))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"sed": "1"}, "unknown model argument 'sed'.*Did you mean 'seed'"),
        ({"seed": "x"}, "'seed' must be a number"),
        ({"delay_s": "-1"}, "must not be negative"),
        ({"delay_s": "nan"}, "must not be negative"),
        ({"rule": "best"}, "unknown rule 'best'.*expected one of: random, first"),
        ({"chat": "1"}, "must be true or false"),
    ],
)
def test_bad_arguments_are_one_line(args: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        load_model("scripted", ModelOptions(args=args))
    assert "\n" not in str(caught.value)


def test_unusable_prompts_and_methods() -> None:
    with pytest.raises(PhraseproofError, match="without options"):
        ScriptedModel().score_options([Prompt("?")])
    with pytest.raises(ModelError, match="unknown scoring method"):
        ScriptedModel().score_options(PROMPTS, method="guess")


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from phraseproof.core import Prompt; from phraseproof.models import load_model\n"
        "print(load_model('scripted').score_options([Prompt('?', ('a', 'b'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "OptionScores" in done.stdout
