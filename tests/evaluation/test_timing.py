"""The time of a sample is extrapolated to the rest; the sample is small, and nothing is scored unasked."""

from __future__ import annotations

import time
from collections.abc import Sequence

from phraseproof.core import Example, Instruction, Kind, OptionScores, Prompt, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.timing import MAX_PROMPTS
from phraseproof.models.scripted import ScriptedModel

SECONDS = 0.004


class Slow(ScriptedModel):
    """Needs the same time for every prompt; the first call takes long, as loading does."""

    def __init__(self) -> None:
        super().__init__(lambda _prompt, option: float(len(option)))
        self.scored = 0

    def score_options(self, prompts: Sequence[Prompt], *args: object, **named: object) -> list[OptionScores]:
        if not self.scored:
            time.sleep(0.3)
        self.scored += len(prompts)
        time.sleep(SECONDS * len(prompts))
        return super().score_options(prompts)


def evaluation(model: ScriptedModel, examples: int = 50, wordings: int = 10) -> Evaluation:
    task = Task(
        "t",
        Kind.BINARY,
        "c",
        tuple(Example(f"e{n}", {"question": f"what now {n:02}"}, ("yes", "no"), (1.0, 0.0)) for n in range(examples)),
    )
    given = [
        Instruction(id=f"w{n}", collection="c", template=f"{n:02} says: {{{{ question }}}}", answer="{{ choice }}")
        for n in range(wordings)
    ]
    return prepare(model, [task], {"g": {"t": given}}, EvaluationSpec())


def test_the_estimate_is_the_pace_of_the_sample_without_the_first_call() -> None:
    model = Slow()
    timing = evaluation(model).forecast(timing=True).timing
    assert timing is not None
    assert timing.prompts <= MAX_PROMPTS
    assert model.scored <= MAX_PROMPTS + 8
    # All prompts are equally long and share nothing: 500 prompts of 4 ms; a busy machine adds some.
    assert 500 * SECONDS <= timing.seconds < 500 * SECONDS * 3


def test_a_forecast_scores_nothing_unasked() -> None:
    model = Slow()
    assert evaluation(model).forecast().timing is None
    assert evaluation(model).forecast(timing=None).timing is None
    assert model.scored == 0


def test_the_requests_and_characters_of_a_served_model_are_counted() -> None:
    found = evaluation(Slow(), examples=3, wordings=2).forecast()
    assert found.most.requests == 3 * 2 * 2
    # "00 says: what now 00" has 20 characters, and the options 3 and 2.
    assert found.most.characters == 3 * 2 * (2 * 20 + 3 + 2)
