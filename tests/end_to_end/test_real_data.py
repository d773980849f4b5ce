"""The real MMLU and BIG-bench files under many wordings, on both families, from the command line to Table 3's rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.store.queries import load_run
from support.tiny_models import tiny_llama, tiny_t5


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert stopped.value.code == 0, captured.err
    return captured.out


@pytest.mark.slow
@pytest.mark.parametrize("build", [tiny_t5, tiny_llama], ids=["encoder-decoder", "decoder-only"])
@pytest.mark.parametrize("shots", ["0", "1"], ids=["zero-shot", "one-shot"])
def test_table_3_for_a_model(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str], build: Callable[[], Path], shots: str
) -> None:
    out = tmp_path / "run"
    command = [
        *("evaluate", "--model", str(build()), "--tasks", "mmlu,bbl", "--data-dir", str(shared_data)),
        *("--observed", "task_designer,composed", "--unobserved", "composed", "--limit", "2", "--num-fewshot", shots),
        *("--max-length", "400", "--out", str(out), "--json"),
    ]
    table = json.loads(run(capsys, *command))
    stored = load_run(out)
    assert not stored.missing
    assert {cell.num_fewshot for cell in stored.cells} == {int(shots)}
    tasks = {cell.task for cell in stored.cells}
    assert {"mmlu", "bbl/strategyqa", "bbl/logical_deduction", "bbl/code_line_description"} <= tasks
    assert {cell.category for cell in stored.cells} == {"MMLU", "BBL-QA", "BBL-BC"}
    rows = stored.outcomes().to_pylist()
    assert len(rows) == 2 * len(stored.cells)
    for row in rows:
        assert row["predicted"] == max(range(len(row["options"])), key=row["option_logprobs"].__getitem__)
        assert all(math.isfinite(value) and value < 0 for value in row["option_logprobs"])
        assert row["score"] == float(row["predicted"] == row["target"])
    # Table 3's arithmetic on the stored rows, by hand: wordings to tasks, tasks to categories, categories to overall.
    by_wording: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        if row["group"] == "unobserved":
            by_wording.setdefault((row["category"], row["task"], row["instruction"]), []).append(row["score"])
    by_task: dict[tuple[str, str], list[float]] = {}
    for (category, task, _), scores in by_wording.items():
        by_task.setdefault((category, task), []).append(sum(scores) / len(scores))
    by_category: dict[str, list[float]] = {}
    for (category, _), means in by_task.items():
        by_category.setdefault(category, []).append(sum(means) / len(means))
    overall = sum(sum(means) / len(means) for means in by_category.values()) / len(by_category)
    (block,) = table["tables"]
    assert block["overall"]["groups"]["unobserved"]["mean_percent"] == pytest.approx(100 * overall)
