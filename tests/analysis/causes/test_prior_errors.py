"""The change of effects with the priors, compared with effects that are computed again."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.causes.counterfactual import Evidence, effects
from phraseproof.analysis.causes.prior_errors import Moves, moved_effects
from phraseproof.analysis.causes.priors import Form, option_priors
from phraseproof.analysis.grids import Floats

ROWS, EXAMPLES, OPTIONS = 3, 60_000, 3


def made(values: Floats, forms: list[Form], priors: list[Floats], scales: Floats) -> Evidence:
    """Values [C, R, E] of rows with some priors, in units of some noise."""
    rng = np.random.default_rng(1)
    added = option_priors(priors, forms, (ROWS, EXAMPLES, OPTIONS)).transpose(2, 0, 1)
    unit = scales[:, None]
    return Evidence(
        ((values - added) / unit).astype(np.float32),
        (added / unit).astype(np.float32),
        np.eye(OPTIONS)[rng.choice(OPTIONS, EXAMPLES, p=[0.6, 0.3, 0.1])].T.astype(np.float32),
        (rng.random((ROWS, EXAMPLES)) < 0.9).astype(np.float32),
        np.array([0]),
    )


def forms(number: int) -> list[Form]:
    """One form in which classes are in the order of options, and one in which the order differs between examples."""
    plain = np.tile(np.arange(OPTIONS), (EXAMPLES, 1))
    if number == 1:
        return [Form(np.arange(ROWS), plain, OPTIONS)]
    turned = np.random.default_rng(2).permuted(plain, axis=1)
    return [Form(np.array([0, 2]), plain, OPTIONS), Form(np.array([1]), turned, OPTIONS)]


@pytest.mark.parametrize(("number", "what"), [(1, "priors"), (2, "priors"), (2, "noise")])
def test_effects_move_with_priors_and_noise_as_if_computed_again(number: int, what: str) -> None:
    rng = np.random.default_rng(0)
    of = forms(number)
    values = rng.normal(size=(OPTIONS, ROWS, EXAMPLES))
    priors = [rng.normal(size=(len(form.rows), OPTIONS)) for form in of]
    moves = [0.2 * (what == "priors") * rng.normal(size=each.shape) for each in priors]
    moves = [each - each.mean(axis=1, keepdims=True) for each in moves]
    scales = rng.uniform(0.5, 1.5, ROWS)
    logs = 0.1 * (what == "noise") * rng.normal(size=ROWS)
    found = moved_effects(
        made(values, of, priors, scales),
        of,
        [each / scales[form.rows, None] for each, form in zip(priors, of, strict=True)],
        Moves([move[None] / scales[form.rows, None] for move, form in zip(moves, of, strict=True)], logs[None]),
        np.arange(ROWS),
        rng,
    )
    before, after = (
        effects(
            made(
                values,
                of,
                [each + sign * move for each, move in zip(priors, moves, strict=True)],
                scales * np.exp(sign * logs),
            ),
            np.arange(ROWS),
        )
        for sign in (-1, 1)
    )
    pairs = ((found.prior, before.prior, after.prior), (found.skill, before.skill, after.skill))
    for mine, first, second in pairs:
        change = (second - first)[0] / EXAMPLES / 2
        size = np.ptp(change)
        assert size > 0.005
        assert mine[0] - mine[0].mean() == pytest.approx(change - change.mean(), abs=0.2 * size)


def test_a_single_option_is_chosen_whatever_the_priors_are() -> None:
    form = Form(np.arange(4), np.zeros((20, 1), dtype=np.intp), 1)
    ones = np.ones((1, 4, 20), dtype=np.float32)
    evidence = Evidence(ones, ones, ones[:, 0], ones[0], np.array([0]))
    moves = Moves([np.ones((2, 4, 1))], np.zeros((2, 4)))
    found = moved_effects(evidence, [form], [np.ones((4, 1))], moves, np.arange(4), np.random.default_rng(0))
    assert not found.prior.any()
    assert not found.skill.any()


def test_with_many_rows_some_examples_and_references_give_nearly_the_same() -> None:
    rng = np.random.default_rng(3)
    rows, examples = 100, 5000
    form = Form(np.arange(rows), np.tile(np.arange(2), (examples, 1)), 2)
    priors = rng.normal(size=(rows, 1)) * [1, -1]
    moves = 0.2 * rng.normal(size=(3, rows, 1)) * [1, -1]
    evidence = Evidence(
        rng.normal(size=(2, rows, examples)).astype(np.float32),
        np.repeat(priors.T[:, :, None], examples, axis=2).astype(np.float32),
        np.eye(2)[rng.choice(2, examples, p=[0.8, 0.2])].T.astype(np.float32),
        np.ones((rows, examples), dtype=np.float32),
        np.array([0]),
    )
    found = moved_effects(evidence, [form], [priors], Moves([moves], np.zeros((3, rows))), np.arange(4), rng)
    # A logit of 2 * prior between two normal values: the density of their difference times the credit that it moves.
    density = np.exp(-((2 * priors[:, 0]) ** 2) / 4) / np.sqrt(4 * np.pi)
    expected = 0.6 * density * 2 * moves[:, :, 0]
    assert np.corrcoef(found.prior.ravel(), expected.ravel())[0, 1] > 0.92
    assert np.std(found.prior) == pytest.approx(np.std(expected), rel=0.1)
