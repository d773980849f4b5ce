"""The probabilities of options at the token that is the answer, where a log lists the most probable tokens.

Programs store what a server sent: of each token that was written, and of the most probable ones in its place, the
log-probability. Options' numbers are bounds, as those of the scorer `first_token`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from phraseproof.core import OptionScores, Outcome
from phraseproof.scoring.first_token import SCORER

_LEAD = re.compile(r"\s*(answer\s*:\s*)?", re.IGNORECASE)
"""What may come before the answer. After a reasoning, its probability would depend on what the model wrote there."""

_LONGEST_LEAD = 8
"""Tokens."""


def answer_scores(written: Mapping[str, object], options: Sequence[str], asked: int) -> OptionScores | None:
    """Bounds of the log-probabilities of options at the token that is one of them.

    Args:
        written: one answer of a server as a log keeps it, with `logprobs` in the form of chat completions.
        options: as they are answered, such as letters.
        asked: how many of the most probable tokens were requested; 0 where that is not known.

    Returns:
        `None` without such tokens, or where more than `ANSWER:` comes before the answer.
    """
    logprobs = written.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    before = ""
    for place, token in enumerate(tokens[:_LONGEST_LEAD]):
        text = token.get("token") if isinstance(token, dict) else None
        if not isinstance(text, str):
            return None
        if text.strip() in options and _LEAD.fullmatch(before):
            return _scores_at(tokens[place:], options, asked)
        before += text
    return None


def with_scores(outcome: Outcome, scores: OptionScores) -> Outcome:
    """An outcome with the bounds of its options' probabilities, and the choice that the log says."""
    found = replace(outcome, option_logprobs=scores.logprobs, option_upper_logprobs=scores.upper_logprobs)
    return replace(found, is_open=SCORER.predict(found).is_open)


def _scores_at(tokens: Sequence[object], options: Sequence[str], asked: int) -> OptionScores | None:
    # Only logs with log-probabilities need what reads a server's answers.
    from phraseproof.models.openai.echoed_scores import UnusableError
    from phraseproof.models.openai.first_token import first_token_scores
    from phraseproof.models.openai.top_logprobs import first_tokens

    try:
        found = first_tokens({"logprobs": {"content": tokens}}, asked)
    except UnusableError:
        return None
    return first_token_scores(options, found if asked else found._replace(asked=len(found.listed)))
