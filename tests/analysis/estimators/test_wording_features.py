"""Numeric features of wordings."""

import numpy as np

from phraseproof.analysis.estimators.wording_features import wording_features

TEXTS = [f"Answer the question number {'very ' * count}well: {{{{ question }}}}" for count in range(8)]


def test_columns_are_standardised_and_never_constant() -> None:
    found = wording_features(TEXTS)
    assert found.shape[0] == len(TEXTS)
    assert found.shape[1] > 0
    assert np.allclose(found.mean(axis=0), 0)
    assert np.allclose(found.std(axis=0), 1 / np.sqrt(found.shape[1]))


def test_equal_texts_have_no_features() -> None:
    assert wording_features(["the same"] * 5).shape == (5, 0)
