"""The self-test sees a few prompts of the evaluation; a failed check stops the run before anything is scored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from phraseproof.core import Check, Prompt
from phraseproof.errors import SelfTestError
from support.reading_task import WORDS, Knowing, make_evaluation, wording


def test_a_failing_self_test_stops_before_anything_is_scored(tmp_path: Path) -> None:
    class Drifting(Knowing):
        def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
            assert prompts
            return [Check("batch invariance", passed=False, detail="differs by 0.5")]

    model = Drifting()
    with pytest.raises(SelfTestError, match=r"batch invariance: differs by 0\.5"):
        make_evaluation(model).run(tmp_path)
    assert model.asked == []
    make_evaluation(model).run(tmp_path, self_test=False)
    assert len(model.asked) == 14


def test_the_self_tests_result_is_kept(tmp_path: Path) -> None:
    run = make_evaluation().run(tmp_path)
    assert run.content["self_test"]["batch invariance"]["passed"] is True


@pytest.mark.parametrize(("number", "step"), [(3, 1), (8, 1), (20, 2), (31, 3)])
def test_it_sees_at_most_eight_prompts_spread_over_the_wordings(number: int, step: int) -> None:
    seen: list[str] = []

    class Watching(Knowing):
        def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
            seen.extend(prompt.text for prompt in prompts)
            return []

    wordings = [wording(f"w{index:02}", f"Case {index}: {{{{ question }}}}?") for index in range(number)]
    assert make_evaluation(Watching(), *wordings).check() == []
    assert seen == [f"Case {index}: {WORDS[0]}?" for index in range(0, number, step)][:8]


def test_the_error_names_the_first_failed_check_and_the_model(tmp_path: Path) -> None:
    class Broken(Knowing):
        def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
            return [Check("a", passed=True, detail=""), Check("b", passed=False, detail="is 2"), Check("c", False, "")]

    with pytest.raises(SelfTestError, match=r"^scripted: the self-test failed: b: is 2\. .*--no-self-test") as caught:
        make_evaluation(Broken()).run(tmp_path)
    assert "\n" not in str(caught.value)
