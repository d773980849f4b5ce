"""Runs on a `FaultServer`, whose stored rows are compared with what follows from their texts alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phraseproof.store.queries import Run
from support.fault_server import TOKEN, first_tokens_of, logprob_of, text_of


def evaluate_served(project: Path, base_url: str, reading: str, endpoint: str, **args: str) -> Run:
    """Score the project's task behind a server, without the self-test; texts are free."""
    import phraseproof

    settings = {"base_url": base_url, "endpoint": endpoint}
    settings |= {"answer_format": "text"} if reading == "generate" else {}
    return phraseproof.evaluate(
        "openai/m",
        project / "task.yaml",
        {"mine": project / "wordings.yaml"},
        project / "run",
        scoring=reading,
        log_samples=True,
        self_test=False,
        model_options=phraseproof.ModelOptions(args=settings | args),
    )


def of_run(counted: Mapping[str, int]) -> dict[str, int]:
    """The counts of the run's own requests, without those that find out how the server can be used."""
    return {text: count for text, count in counted.items() if text.startswith("Wording")}


def checked_rows(run: Run) -> list[dict[str, Any]]:
    """The stored rows, after every score was compared with the right one."""
    rows: list[dict[str, Any]] = run.outcomes().to_pylist()
    for row in rows:
        _CHECKS[row["scoring"]](row)
    return rows


def _log_likelihoods(row: dict[str, Any]) -> None:
    for option, found in zip(row["options"], row["option_logprobs"], strict=True):
        tokens = TOKEN.findall(f"{row['prompt']} {option}")
        assert found == pytest.approx(logprob_of(tokens[-1], len(tokens) - 1), abs=1e-9)


def _first_tokens(row: dict[str, Any]) -> None:
    right = first_tokens_of(_sent(row))
    values = {option: sum(p for token, p in right.items() if token.strip() == option) for option in row["options"]}
    assert row["option_logprobs"] == pytest.approx([math.log(values[option]) for option in row["options"]], abs=1e-9)
    assert row["options"][row["predicted"]] == max(values, key=lambda option: values[option])


def _texts(row: dict[str, Any]) -> None:
    assert row["text"] == text_of(_sent(row))
    assert row["options"][row["predicted"]] == ("even" if "even" in row["text"] else "odd")


def _sent(row: dict[str, Any]) -> str:
    """The message in the text of a chat."""
    return row["prompt"].removeprefix("user: ").removesuffix("\n\nassistant:")


_CHECKS = {"loglikelihood": _log_likelihoods, "first_token": _first_tokens, "generate": _texts}
