"""Log-likelihoods and texts on one run: shares, agreement and unread answers, from a scripted model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.causes.artefact import Artefact, scorer_pair
from phraseproof.analysis.causes.run_scorers import run_scorers
from phraseproof.core import Example, Instruction, Kind, Prompt, Sampling, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import load_run

EXAMPLES, WORDINGS = 80, 6


def number_in(prompt: Prompt) -> int:
    return int(prompt.text.split("number ")[1].split("?")[0])


def wording_of(prompt: Prompt) -> int:
    return int(prompt.text.split("Say ")[1].split(":")[0])


def choice(prompt: Prompt) -> str:
    """Right ("yes") more often under later wordings."""
    return "yes" if (number_in(prompt) * 37 + 11) % 100 < 10 + 15 * wording_of(prompt) else "no"


def by_choice(prompt: Prompt, option: str) -> float:
    return 1.0 if option == choice(prompt) else 0.0


def compared(path: Path, write: object) -> Artefact:
    examples = tuple(Example(f"e{n}", {"question": f"number {n}?"}, ("yes", "no"), (1.0, 0.0)) for n in range(EXAMPLES))
    task = Task("t", Kind.BINARY, "C", examples)
    wordings = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer="{{ choice }}")
        for n in range(WORDINGS)
    ]
    for scoring in ("loglikelihood", "generate"):
        model = ScriptedModel(by_choice, write=write)  # pyright: ignore[reportArgumentType]
        prepare(model, [task], {"g": {"t": wordings}}, EvaluationSpec(scoring=scoring)).run(path, self_test=False)
    (found,) = run_scorers(load_run(path)).artefacts
    return found


def same(prompt: Prompt, _: Sampling) -> str:
    return choice(prompt)


def steady(prompt: Prompt, _: Sampling) -> str:
    """Answers that do not depend on the wording."""
    return "yes" if number_in(prompt) % 2 else "no"


def silent(prompt: Prompt, _: Sampling) -> str:
    """Unread under the first two wordings."""
    return "I cannot say." if wording_of(prompt) < 2 else choice(prompt)


def test_texts_that_choose_the_same_leave_no_artefact(tmp_path: Path) -> None:
    found = compared(tmp_path / "run", same)
    assert (found.options, found.text) == ("loglikelihood", "generate")
    assert found.means[0] == found.means[1]
    assert found.pair is not None
    assert found.pair.unshared.estimate == pytest.approx(0)
    assert found.pair.ratio.estimate == pytest.approx(1)
    assert (found.choices.share, found.choices.kappa, found.choices.unread[1]) == (1, 1, 0)
    assert found.guessed is None
    assert found.mostly_unread == ()


def test_texts_that_do_not_depend_on_the_wording_make_all_of_the_spread_an_artefact(tmp_path: Path) -> None:
    found = compared(tmp_path / "run", steady)
    assert found.is_beyond_chance
    assert found.can_tell
    assert found.pair is not None
    assert found.pair.unshared.estimate == pytest.approx(1)
    assert found.pair.ratio.estimate == pytest.approx(0)
    assert found.stds[1] == 0
    assert 0 < found.choices.share < 1


def test_unread_answers_are_wrong_and_guesses_in_their_place_are_shown_too(tmp_path: Path) -> None:
    found = compared(tmp_path / "run", silent)
    assert found.choices.unread.tolist() == pytest.approx([0, 2 / WORDINGS])
    assert found.choices.read.tolist() == [0, 0, *[EXAMPLES] * 4]
    assert found.mostly_unread == ("c/w0", "c/w1")
    assert found.guessed is not None
    right = [float(np.mean([(n * 37 + 11) % 100 < 10 + 15 * w for n in range(EXAMPLES)])) for w in range(WORDINGS)]
    assert found.means[1] == pytest.approx(np.mean([0, 0, *right[2:]]))
    assert found.guessed.mean == pytest.approx(np.mean([0.5, 0.5, *right[2:]]))
    assert found.guessed.std == pytest.approx(np.std([0.5, 0.5, *right[2:]], ddof=1))


def test_a_pair_is_of_options_and_texts() -> None:
    assert scorer_pair(("generate", "loglikelihood", "loglikelihood_norm")) == ("loglikelihood", "generate")
    assert scorer_pair(("loglikelihood", "loglikelihood_norm")) is None
    assert scorer_pair(("generate", "of-no-package")) is None
