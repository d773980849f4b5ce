import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from phraseproof.analysis.estimators import agreement as agreement_module
from phraseproof.analysis.estimators.agreement import agreement
from phraseproof.errors import NotEnoughDataError

ANSWERS = np.array([[0, 1, 2, 1, 0], [0, 1, 2, 2, 0], [0, 1, 1, 2, 0], [0, 0, 2, 1, 0]])


def kappa_of(answers: np.ndarray) -> float:
    table, _ = aggregate_raters(answers.T, n_cat=int(answers.max()) + 1)
    return float(fleiss_kappa(table))


def pairwise_of(answers: np.ndarray) -> float:
    pairs = [(a, b) for a in range(len(answers)) for b in range(len(answers)) if a < b]
    return float(np.mean([np.mean(answers[a] != answers[b]) for a, b in pairs]))


def test_by_hand():
    found = agreement(ANSWERS, 5)
    assert found.flips == 3 / 5
    # Of the 6 pairs of wordings, 3, 3 and 4 disagree on the three examples that flip.
    assert found.pairwise_flips.value == pytest.approx((3 + 3 + 4) / 30)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(kappa_of(ANSWERS))


many = st.tuples(st.integers(3, 6), st.integers(2, 8)).flatmap(
    lambda shape: arrays(np.intp, shape, elements=st.integers(0, 3))
)


@settings(max_examples=60)
@given(many)
def test_kappa_is_that_of_statsmodels_and_errors_are_those_of_leaving_out(answers: np.ndarray):
    found = agreement(answers, answers.shape[1])
    assert found.pairwise_flips.value == pytest.approx(pairwise_of(answers))
    wordings, examples = answers.shape
    left_out = [pairwise_of(np.delete(answers, row, axis=0)) for row in range(wordings)]
    assert np.square(found.pairwise_flips.wordings).sum() == pytest.approx(
        (wordings - 1) / wordings * np.square(np.array(left_out) - np.mean(left_out)).sum()
    )
    left_out = [pairwise_of(np.delete(answers, column, axis=1)) for column in range(examples)]
    assert np.square(found.pairwise_flips.examples).sum() == pytest.approx(
        (examples - 1) / examples * np.square(np.array(left_out) - np.mean(left_out)).sum()
    )
    if found.kappa is None:
        assert len(np.unique(answers)) == 1
    else:
        assert found.kappa.value == pytest.approx(kappa_of(answers))
        assert np.isfinite(found.kappa.wordings).all()
        assert np.isfinite(found.kappa.examples).all()


def test_the_error_of_kappa_is_that_of_leaving_one_out():
    answers = np.random.default_rng(0).integers(0, 3, (5, 12))
    found = agreement(answers, 12).kappa
    assert found is not None
    for axis, ours in ((0, found.wordings), (1, found.examples)):
        left_out = np.array([kappa_of(np.delete(answers, place, axis=axis)) for place in range(answers.shape[axis])])
        n = len(left_out)
        assert ours == pytest.approx(np.sqrt((n - 1) / n) * (left_out - left_out.mean()))


def test_draws_of_demonstrations_are_rated_apart_and_left_out_together():
    """Two draws: the answers of both seeds one after the other; an example that is left out takes both with it."""
    answers = np.random.default_rng(1).integers(0, 2, (4, 12))
    found = agreement(answers, 6)
    assert found.pairwise_flips.value == pytest.approx(pairwise_of(answers))
    assert len(found.pairwise_flips.examples) == 6
    left_out = np.array([pairwise_of(np.delete(answers, [place, place + 6], axis=1)) for place in range(6)])
    assert found.pairwise_flips.examples == pytest.approx(np.sqrt(5 / 6) * (left_out - left_out.mean()))


def test_one_option_alone_leaves_kappa_undefined():
    found = agreement(np.full((3, 4), 2), 4)
    assert (found.flips, found.pairwise_flips.value, found.kappa) == (0.0, 0.0, None)


@pytest.mark.parametrize("shape", [(2, 5), (3, 1)])
def test_too_few(shape: tuple[int, int]):
    with pytest.raises(NotEnoughDataError, match="at least three wordings"):
        agreement(np.zeros(shape, dtype=np.intp), shape[1])


def test_blocks_of_wordings_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = np.random.default_rng(5).integers(0, 3, (7, 20))
    whole = agreement(answers, 20)
    monkeypatch.setattr(agreement_module, "BLOCK", 45)
    for small in (answers, answers.astype(np.int8)):
        found = agreement(small, 20)
        assert (found.flips, found.pairwise_flips.value) == (whole.flips, whole.pairwise_flips.value)
        assert whole.kappa is not None
        assert found.kappa is not None
        assert np.array_equal(found.kappa.wordings, whole.kappa.wordings)
        assert np.array_equal(found.kappa.examples, whole.kappa.examples)
