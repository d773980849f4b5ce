"""Runs a task in lm-evaluation-harness and here, and compares every score of every document."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof import evaluate
from phraseproof.models import ModelOptions
from phraseproof.tasks import load_tasks

TASKS = Path(__file__).parent / "tasks"
SHIPPED = Path(__file__).parents[2] / "src" / "phraseproof" / "tasks" / "data"

ACCURACY = {
    "acc": "loglikelihood",
    "acc_norm": "loglikelihood_norm:characters",
    "acc_bytes": "loglikelihood_norm",
}
"""Metrics of options -> the scoring under which accuracy is the same."""

CORPUS = ("bleu", "chrf")
"""Metrics of all texts together, of which no document has a score."""


class Compared(NamedTuple):
    """A task to compare: its name, its metrics as the harness prints them, and the number of demonstrations."""

    task: str
    metrics: tuple[str, ...]
    shots: int = 0


ELEVEN = (
    Compared("ten_letters", ("acc,none",), 2),
    Compared("ten_texts", ("acc,none", "acc_norm,none", "acc_bytes,none")),
    Compared("ten_options_of_data", ("acc,none", "acc_norm,none")),
    Compared("ten_classes", ("acc,none",), 3),
    Compared("ten_begun_answer", ("acc,none",), 1),
    Compared("ten_reserved_names", ("acc,none",), 1),
    Compared("ten_filters", ("exact_match,first", "exact_match,last"), 2),
    Compared("ten_several_targets", ("exact_match,clean",), 3),
    Compared("ten_corpus", ("bleu,none", "chrf,none")),
    Compared("ten_inputs", ("acc,none", "acc_norm,none"), 2),
    Compared("ten_inherited", ("acc,none", "acc_norm,none", "acc_bytes,none")),
)


class Score(NamedTuple):
    """One metric of a task.

    Attributes:
        metric: as the harness prints it.
        theirs, ours: the value of all documents, in the harness's unit.
        documents: how many there are.
        different: how many have another score, or another text.
        error: the largest difference of a log-likelihood, in nats; `None` for texts.
    """

    metric: str
    theirs: float
    ours: float
    documents: int
    different: int
    error: float | None


def write_tasks(folder: Path, data: Path) -> Path:
    """Copy the task files with the places of their data in them.

    Args:
        folder: is made.
        data: the folder with `mmlu` and `bbl` in the benchmarks' published files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in TASKS.iterdir():
        if file.is_file():
            text = file.read_text(encoding="utf-8").replace("$DATA", str(data)).replace("$SHIPPED", str(SHIPPED))
            (folder / file.name).write_text(text, encoding="utf-8")
    return folder


def harness_model(model: Path, batch_size: int = 8) -> Any:
    """The harness's own backend, in float32 on a CPU."""
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    make: Any = HFLM  # a factory by name, of which a type checker sees only the base class
    return make(pretrained=str(model), device="cpu", dtype="float32", batch_size=batch_size)


def compare(
    each: Compared, folder: Path, lm: Any, model: Path, out: Path, *, limit: int | None = None
) -> Iterator[Score]:
    """Run both and compare.

    Args:
        each: the task.
        folder: of `write_tasks`.
        lm: of `harness_model`.
        model: the folder of the same model.
        out: for our run folder.
        limit: only the first documents, as the harness means it; `None` for all.
    """
    theirs = _of_harness(each, folder, lm, limit)
    samples = {
        name: {str(sample["doc_id"]): sample for sample in theirs["samples"][each.task] if sample["filter"] == name}
        for name in _filters(each)
    }
    scorings = [ACCURACY[name] for name in map(_metric, each.metrics) if name in ACCURACY]
    texts = [ours for metric in each.metrics if (ours := _text_metric(metric, len(_filters(each)))) is not None]
    (task,) = load_tasks([f"lm_eval/{each.task}"], data_dir=folder)
    run = evaluate(
        str(model),
        replace(task, examples=task.examples[:limit], demonstrations=task.demonstrations or task.examples),
        {"designer": "task_designer"},
        out,
        prompt_format="plain",
        num_fewshot=each.shots,
        fewshot_seed=1234,
        scoring=scorings or "auto",
        metric=",".join(texts) or "auto",
        model_options=ModelOptions(device="cpu", dtype="float32"),
    )
    for metric in each.metrics:
        name, _, label = metric.partition(",")
        chosen = run.select(scoring=ACCURACY.get(name), metric=_text_metric(metric, len(_filters(each))))
        rows = {row["example_id"]: row for row in chosen.query_rows("SELECT * FROM outcomes")}
        assert rows.keys() == samples[label].keys(), "both have scored the same documents"
        pairs = [(rows[identifier], sample) for identifier, sample in samples[label].items()]
        errors = [abs(one - other) for row, sample in pairs for one, other in _logprobs(row, sample)]
        yield Score(
            metric,
            theirs["results"][each.task][metric],
            chosen.wording_scores()[0].mean_score * (100 if name in CORPUS else 1),
            len(rows),
            sum(_is_different(row, sample, name) for row, sample in pairs),
            max(errors, default=None),
        )


def _logprobs(row: Mapping[str, Any], sample: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Of each option its log-likelihood here and there; nothing for texts."""
    # A task with mutual information also has those of the options without a prompt.
    yield from ((one, float(other[0][0])) for one, other in zip(row["option_logprobs"], sample["resps"], strict=False))


def _is_different(row: Mapping[str, Any], sample: Mapping[str, Any], metric: str) -> bool:
    if row["text"] is not None and sample["resps"][0][0].strip() != row["text"]:
        return True
    return metric not in CORPUS and float(sample[metric]) != row["score"]


def _of_harness(each: Compared, folder: Path, lm: Any, limit: int | None) -> Any:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    run: Any = simple_evaluate  # its decorator hides its parameters
    return run(
        lm,
        tasks=[each.task],
        num_fewshot=each.shots,
        limit=limit,
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        log_samples=True,
        bootstrap_iters=0,
        verbosity="ERROR",
    )


def _filters(each: Compared) -> list[str]:
    return list(dict.fromkeys(metric.partition(",")[2] for metric in each.metrics))


def _metric(name: str) -> str:
    return name.partition(",")[0]


def _text_metric(metric: str, filters: int) -> str | None:
    """Our name of a metric of texts; `None` for one of options."""
    name, _, label = metric.partition(",")
    if name in ACCURACY:
        return None
    return name if name != "exact_match" else f"lm_eval:{name}/{label}" if filters > 1 else f"lm_eval:{name}"
