"""The time left counts steps and evaluations separately."""

from __future__ import annotations

import pytest

from phraseproof.training.pace import Pace, evaluations_between


@pytest.mark.parametrize("every", [1, 3, 7, 50])
@pytest.mark.parametrize("total", [1, 12, 20, 21])
def test_evaluations_are_those_of_the_loop(total: int, every: int) -> None:
    due = [step for step in range(1, total + 1) if step % every == 0 or step == total]
    for done in range(total + 1):
        assert evaluations_between(done, total, every) == len([step for step in due if step > done])


def test_the_time_left_is_that_of_the_remaining_steps_and_evaluations() -> None:
    pace = Pace(total=20, eval_every=8)
    pace.evaluated(100.0)
    assert pace.seconds_left(0) is None
    pace.stepped(9.0)  # the first one tries things
    assert pace.seconds_left(1) == 19 * 9.0 + 3 * 100.0
    pace.stepped(2.0)
    pace.stepped(4.0)
    assert pace.seconds_left(3) == 17 * 3.0 + 3 * 100.0
    pace.evaluated(50.0)
    assert pace.seconds_left(8) == 12 * 3.0 + 2 * 50.0
    assert pace.seconds_left(20) == 0
