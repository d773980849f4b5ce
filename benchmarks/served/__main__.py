"""Reads the same prompts in every way that a server offers, and counts choices that differ from local log-likelihoods.

`python -m benchmarks.served --base-url URL --name NAME --local FOLDER`: the server must serve the model in FOLDER. Ways
that do not work there are printed with the reason.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import phraseproof
from phraseproof.errors import PhraseproofError
from phraseproof.models import ModelOptions
from phraseproof.reports.build.readings import reading_lines
from phraseproof.store.queries import Run


class Way(NamedTuple):
    """A way to read answers: its names, the scorer, the prompt format, and the server's arguments."""

    key: str
    name: str
    scoring: str
    prompt_format: str
    args: dict[str, str]


_WAYS = (
    Way("loglikelihood", "log-likelihoods, completions, plain", "loglikelihood", "plain", {"endpoint": "completions"}),
    Way("first_token", "first token, chat", "first_token", "chat", {"endpoint": "chat"}),
    Way("constrained", "generated within a constraint, chat", "generate", "chat", {"endpoint": "chat"}),
    Way("free", "generated freely, chat", "generate", "chat", {"endpoint": "chat", "answer_format": "text"}),
)


def main() -> None:
    """Evaluate locally and in every way, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--name", required=True, help="the server's name for the model")
    parser.add_argument("--local", required=True, help="the folder of the same model")
    parser.add_argument("--tasks", default="mmlu/anatomy")
    parser.add_argument("--data-dir", default=None)
    parser.add_argument("--wordings", default=str(Path(__file__).with_name("wordings.yaml")))
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--ways", default=",".join(way.key for way in _WAYS), help="separated by commas")
    parser.add_argument("--concurrency", default="32")
    asked = parser.parse_args()
    ways = [way for way in _WAYS if way.key in asked.ways.split(",")]
    common = {"data_dir": asked.data_dir, "limit": asked.limit}
    with tempfile.TemporaryDirectory() as folder:
        local = {
            form: phraseproof.evaluate(
                asked.local,
                asked.tasks,
                {"w": asked.wordings},
                Path(folder) / f"local-{form}",
                prompt_format=form,
                model_options=ModelOptions(dtype="float32", device="cpu"),
                **common,
            )
            for form in {way.prompt_format for way in ways}
        }
        for way in ways:
            began = time.perf_counter()
            try:
                run = phraseproof.evaluate(
                    f"openai/{asked.name}",
                    asked.tasks,
                    {"w": asked.wordings},
                    Path(folder) / way.name,
                    scoring=way.scoring,
                    prompt_format=way.prompt_format,
                    max_new_tokens=asked.max_new_tokens,
                    model_options=ModelOptions(
                        args={"base_url": asked.base_url, "concurrency": asked.concurrency, **way.args}
                    ),
                    **common,
                )
            except PhraseproofError as error:
                print(f"{way.name}: does not work: {error}", flush=True)
                continue
            print(f"{way.name}: {_compared(run, local[way.prompt_format])}; {time.perf_counter() - began:.0f} s")
            for line in reading_lines(run):
                print(f"    {line}", flush=True)


def _compared(run: Run, local: Run) -> str:
    """Choices and scores against those of the same model in this process, on the same prompts."""
    rows, other = _rows(run), _rows(local)
    both = [(rows[key], other[key]) for key in rows]
    differ = sum(mine["predicted"] != theirs["predicted"] for mine, theirs in both)
    read = [(mine, theirs) for mine, theirs in both if mine["predicted"] is not None]
    differ_read = sum(mine["predicted"] != theirs["predicted"] for mine, theirs in read)
    line = f"{differ} of {len(both)} choices differ ({differ_read} of the {len(read)} that are read)"
    accuracies = ", ".join(
        f"{100 * sum(row['score'] for row in each.values()) / len(each):.1f}%" for each in (rows, other)
    )
    gaps = [
        abs(first - second)
        for mine, theirs in both
        if run.scoring == "loglikelihood"
        for first, second in zip(mine["option_logprobs"], theirs["option_logprobs"], strict=True)
    ]
    return f"{line}; accuracy {accuracies}" + (f"; largest difference {max(gaps):.1e} nats" if gaps else "")


def _rows(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    found = run.query_rows("SELECT instruction, example_id, predicted, score, option_logprobs FROM outcomes")
    return {(row["instruction"], row["example_id"]): row for row in found}


if __name__ == "__main__":
    main()
