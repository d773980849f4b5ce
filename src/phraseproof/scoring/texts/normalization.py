"""The normal form in which short answers are compared, and their words: that of SQuAD (arXiv 1606.05250)."""

from __future__ import annotations

import re
import string

from phraseproof.core import Outcome

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(text: str) -> str:
    """The text in lower case, without ASCII punctuation and English articles, with single spaces.

    The steps and their order are those of the evaluation script of SQuAD.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def text_of(outcome: Outcome, metric: str) -> str:
    """The generated text.

    Raises:
        ValueError: the outcome has no text, or no reference.
    """
    if outcome.text is None or not outcome.references:
        raise ValueError(f"{metric} needs a generated text and at least one reference")
    return outcome.text
