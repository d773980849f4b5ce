"""Numeric features of a wording's text: covariates of its ability (PromptEval, 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_COMPONENTS = 8
WORDINGS_A_COMPONENT = 4

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def wording_features(texts: Sequence[str]) -> NDArray[np.float64]:
    """Length, shape and words of wordings, [wordings, features], columns centred and on one scale.

    Length: characters and words outside placeholders (logs), lines. Shape: placeholders, position of the first one, a
    question mark, a colon or a placeholder at the end. Words: principal components of TF-IDF weights of words and pairs
    of words, one for every four wordings and eight at most. Columns that are the same for all wordings are left out,
    and each has the standard deviation 1 / sqrt(columns), so that together they weigh as much as one.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    shape = np.array([_shape(text) for text in texts], dtype=np.float64)
    columns = np.concatenate([shape, _words(texts)], axis=1)
    columns = columns - columns.mean(axis=0)
    spread = columns.std(axis=0)
    kept = columns[:, spread > 1e-9] / spread[spread > 1e-9]
    return kept / np.sqrt(max(1, kept.shape[1]))


def _shape(text: str) -> list[float]:
    plain = _PLACEHOLDER.sub(" ", text)
    found = list(_PLACEHOLDER.finditer(text))
    end = text.rstrip()
    return [
        np.log1p(len(plain)),
        np.log1p(len(plain.split())),
        float(text.count("\n")),
        float(len(found)),
        found[0].start() / len(text) if found else 1.0,
        float("?" in plain),
        float(end.endswith(":")),
        float(end.endswith("}")),
    ]


def _words(texts: Sequence[str]) -> NDArray[np.float64]:
    try:
        from sklearn.decomposition import PCA
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise MissingExtraError("covariates of wordings", extra="hf", package="scikit-learn") from None
    count = min(MAX_COMPONENTS, len(texts) // WORDINGS_A_COMPONENT)
    plain = [_PLACEHOLDER.sub(" ", text).lower() for text in texts]
    if count < 1 or not any(re.search(r"\w\w", text) for text in plain):
        return np.zeros((len(texts), 0))
    weights = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(plain).toarray()
    if not np.ptp(weights, axis=0).any():
        return np.zeros((len(texts), 0))
    count = min(count, *weights.shape)
    return PCA(n_components=count, svd_solver="full").fit_transform(weights)
