"""Real logs of lm-evaluation-harness 0.4.13, which scored SmolLM2 on six shipped reviews under two wordings.

The results files were trimmed: what they say of the machine, such as `pretty_env_info`, is left out. It is not read.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import FileError
from phraseproof.logs.assemble import assemble
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.lm_eval import read, recognizes
from phraseproof.logs.write import write_imported
from phraseproof.store.queries import Run

LOGS = Path(__file__).parent / "data" / "lm_eval"
BY_NAME = LogRequest(wordings=("opinion_{wording}",))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LOGS, tmp_path / "logs"))


def _imported(path: Path, out: Path, request: LogRequest = BY_NAME) -> Run:
    log = read([path], request)
    return write_imported(assemble(log, request, {}), log, "lm-eval", out).run


def _results(folder: Path = LOGS) -> Any:
    (path,) = folder.rglob("results_*.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("scoring", "key"), [("loglikelihood", "acc,none"), ("loglikelihood_norm:characters", "acc_norm,none")]
)
def test_the_means_are_those_that_the_program_reports(tmp_path: Path, scoring: str, key: str) -> None:
    run = _imported(LOGS, tmp_path / "run").select(scoring)
    means = {score.instruction: score.mean_score for score in run.wording_scores()}
    assert means == {name: _results()["results"][f"opinion_{name}"][key] for name in ("plain", "asked")}
    assert set(means.values()) == {1 / 3, 2 / 3}


def test_log_probabilities_options_and_answers_are_kept(tmp_path: Path) -> None:
    run = _imported(LOGS, tmp_path / "run")
    (path,) = LOGS.rglob("samples_opinion_plain_*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = run.query_rows("SELECT * FROM outcomes WHERE instruction = 'plain' ORDER BY example_id")
    assert [row["option_logprobs"] for row in rows] == [
        [float(value) for ((value, _),) in line["resps"]] for line in lines
    ]
    assert [row["options"][row["target"]] for row in rows] == [line["target"] for line in lines]
    assert rows[0]["options"] == ["negative", "positive"]
    assert run.model_parameters == 134_515_008
    assert run.wording_texts()["opinion", "plain"] == "Review: {{text}}\nOpinion:"


def test_generated_texts_have_a_score_for_each_filter(tmp_path: Path) -> None:
    folder = LOGS.parent / "lm_eval_text"
    reported = _results(folder)["results"]["written_plain"]
    run = _imported(folder, tmp_path / "run", LogRequest(wordings=("written_{wording}",)))
    assert run.scorings == ("imported",)
    assert set(run.metrics) == {"imported:exact_match/word", "imported:exact_match/strict"}
    for name in ("word", "strict"):
        (score,) = run.select(metric=f"imported:exact_match/{name}").wording_scores()
        assert score.mean_score == reported[f"exact_match,{name}"] == 2 / 3
    texts = run.query_rows("SELECT text, reference, score FROM outcomes ORDER BY example_id")
    assert all(row["reference"] in row["text"].lower() for row in texts if row["score"])


def test_a_log_names_its_program_and_every_mean_is_met() -> None:
    log = read([LOGS], BY_NAME)
    assert log.tool == "lm-evaluation-harness 0.4.13"
    assert assemble(log, BY_NAME, {}).met == 4
    assert len(log.files) == 3
    assert recognizes(LOGS)
    assert all(recognizes(path) for path in log.files)


def test_without_a_pattern_the_folder_is_the_wording() -> None:
    cells = read([LOGS], LogRequest()).cells
    assert {(cell.place.task, cell.place.wording) for cell in cells} == {
        ("opinion_plain", "runs"),
        ("opinion_asked", "runs"),
    }


def test_a_folder_per_wording(tmp_path: Path) -> None:
    for name in ("plain", "asked"):
        source = LOGS / "runs" / "smollm2"
        folder = tmp_path / name / "smollm2"
        folder.mkdir(parents=True)
        content = _results()
        (old,) = source.glob(f"samples_opinion_{name}_*.jsonl")
        content["configs"] = {"opinion": content["configs"][f"opinion_{name}"]}
        content["results"] = {"opinion": content["results"][f"opinion_{name}"]}
        content["n-samples"] = {"opinion": content["n-samples"][f"opinion_{name}"]}
        (folder / next(source.glob("results_*.json")).name).write_text(json.dumps(content), encoding="utf-8")
        shutil.copy(old, folder / old.name.replace(f"opinion_{name}", "opinion"))
    run = _imported(tmp_path, tmp_path / "run", LogRequest())
    assert {score.instruction: score.mean_score for score in run.wording_scores()} == {"plain": 2 / 3, "asked": 1 / 3}


def test_two_results_of_one_wording_are_refused(copy: Path) -> None:
    for path in list((copy / "runs" / "smollm2").iterdir()):
        shutil.copy(path, path.with_name(path.name.replace("2026", "2025")))
    log = read([copy], BY_NAME)
    with pytest.raises(FileError, match="a second result for acc of opinion under the wording 'asked'"):
        assemble(log, BY_NAME, {})


def test_tasks_of_other_data_are_not_taken_for_wordings(copy: Path) -> None:
    (path,) = copy.rglob("samples_opinion_plain_*.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace('"doc_hash": "', '"doc_hash": "x'), encoding="utf-8")
    log = read([copy], BY_NAME)
    with pytest.raises(FileError, match="the example '0' of opinion is not that of"):
        assemble(log, BY_NAME, {})
    # A field can identify the example instead: variants may prepare the rest of it in other ways.
    request = LogRequest(wordings=BY_NAME.wordings, example="text")
    assert len(assemble(read([copy], request), request, {}).cells) == 4


def test_a_shortened_samples_file_is_counted_and_its_mean_is_said_to_differ(copy: Path) -> None:
    (path,) = copy.rglob("samples_opinion_plain_*.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:4]), encoding="utf-8")
    found = assemble(read([copy], BY_NAME), BY_NAME, {})
    assert sum(each.logged.failed for each in found.cells) == 4  # two examples under two scores
    assert found.met == 2
    assert any("the log reports acc = 0.666667" in line for line in found.warnings)
    path.write_text("".join(lines)[:-20], encoding="utf-8")
    with pytest.raises(FileError, match="the file was cut"):
        read([copy], BY_NAME)


def test_a_run_without_samples_is_refused(copy: Path) -> None:
    for path in copy.rglob("samples_*"):
        path.unlink()
    with pytest.raises(FileError, match="--log_samples"):
        read([copy], BY_NAME)


def test_another_precision_is_no_wording(copy: Path) -> None:
    other = copy.parent / "other"
    shutil.copytree(copy, other)
    (path,) = other.rglob("results_*.json")
    text = path.read_text(encoding="utf-8").replace("torch.float32", "torch.bfloat16")
    path.write_text(text.replace("opinion_plain", "opinion_third"), encoding="utf-8")
    (samples,) = other.rglob("samples_opinion_plain*")
    samples.rename(samples.with_name(samples.name.replace("plain", "third")))
    next(iter(other.rglob("samples_opinion_asked*"))).unlink()
    log = read([copy, other], BY_NAME)
    with pytest.raises(FileError, match="another setting of model_dtype"):
        assemble(log, BY_NAME, {})
