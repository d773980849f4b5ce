"""Real run folders of HELM 0.5.16: SmolLM2 on four shipped reviews, options after the prompt and options by letter.

Of the files, the prompts, the last four tokens of each answer and the statistics that are read were kept.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import FileError, UsageError
from phraseproof.logs.assemble import Assembled, assemble
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.helm import read, recognizes

LOGS = Path(__file__).parent / "data" / "helm"
SEPARATE, JOINT = LOGS / "separate", LOGS / "joint"


def _assembled(*paths: Path, **options: Any) -> Assembled:
    request = LogRequest(**options)
    return assemble(read(paths, request), request, {})


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _change(path: Path, change: Any) -> None:
    content = _json(path)
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SEPARATE, tmp_path / "logs"))


@pytest.mark.parametrize("folder", [SEPARATE, JOINT])
def test_the_means_are_those_that_helm_reports(folder: Path) -> None:
    found = _assembled(folder)
    exact = {each.cell.instruction: each.logged for each in found.cells if each.logged.place.score == "exact_match"}
    assert exact.keys() == {"plain", "asked"}
    for wording, cell in exact.items():
        (reported,) = (
            each["mean"]
            for each in _json(folder / wording / "stats.json")
            if each["name"] == {"name": "exact_match", "split": "test"}
        )
        assert sum(outcome.score for outcome in cell.outcomes) / len(cell.outcomes) == reported
    assert found.met == len(found.cells)
    assert not found.warnings
    assert (found.model, found.cells[0].cell.task) == ("local/smollm2", "opinions")


def test_options_have_the_log_probabilities_of_their_own_tokens() -> None:
    found = _assembled(SEPARATE)
    plain = next(each.logged for each in found.cells if each.cell.instruction == "plain")
    requests = _json(SEPARATE / "plain" / "scenario_state.json")["request_states"]
    # " negative" and " positive" are one token each for this model.
    expected = [each["result"]["completions"][0]["tokens"][-1]["logprob"] for each in requests]
    assert [value for outcome in plain.outcomes for value in outcome.option_logprobs] == expected
    assert {outcome.options for outcome in plain.outcomes} == {("negative", "positive")}
    assert {(each.cell.scoring, each.cell.metric) for each in found.cells} == {("loglikelihood", "accuracy")}
    # With one token per option, HELM's highest probability is that of the softmax over both.
    for outcome, values in zip(plain.outcomes, _json(SEPARATE / "plain" / "per_instance_stats.json"), strict=True):
        (highest,) = (each["sum"] for each in values["stats"] if each["name"]["name"] == "max_prob")
        weights = [math.exp(value) for value in outcome.option_logprobs]
        assert max(weights) / sum(weights) == pytest.approx(highest, rel=1e-6)


def test_answers_by_letter() -> None:
    (asked,) = (each for each in _assembled(JOINT, metric="exact_match").cells if each.cell.instruction == "asked")
    assert (asked.cell.scoring, asked.cell.metric) == ("imported", "accuracy")
    # The model wrote a letter twice, and nothing else than white space in the other answers.
    assert [(each.text or "").strip() for each in asked.logged.outcomes] == ["", "A", "", "A"]
    assert [each.predicted for each in asked.logged.outcomes] == [None, 0, None, 0]
    assert [each.target for each in asked.logged.outcomes] == [1, 0, 1, 1]
    assert [each.score for each in asked.logged.outcomes] == [0.0, 1.0, 0.0, 0.0]
    assert asked.logged.text.count("{input}") == 1


def test_two_methods_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="another setting of m"):
        _assembled(SEPARATE, JOINT)


def test_what_names_a_task_and_a_wording(copy: Path) -> None:
    def more(spec: Any) -> None:
        spec["name"] = "opinions:subject=beds,style=plain,shots=2,method=x,model=local_smollm2"
        spec["scenario_spec"]["args"] = {"subject": "beds"}

    shutil.rmtree(copy / "asked")
    _change(copy / "plain" / "run_spec.json", more)
    (cell,) = _assembled(copy, metric="exact_match").cells
    assert (cell.cell.task, cell.cell.instruction) == ("opinions,subject=beds", "style=plain,shots=2")
    (cell,) = _assembled(copy, metric="exact_match", wordings=("field:style",)).cells
    assert cell.cell.instruction == "plain"
    (cell,) = _assembled(copy, metric="exact_match", wordings=("file",), task="opinions").cells
    assert (cell.cell.task, cell.cell.instruction) == ("opinions", "plain")


def test_instances_without_a_score_are_counted(copy: Path) -> None:
    _change(copy / "plain" / "per_instance_stats.json", lambda values: values.pop())
    found = _assembled(copy, metric="exact_match")
    assert sorted((each.cell.instruction, each.logged.failed) for each in found.cells) == [("asked", 0), ("plain", 1)]
    assert any("examples lack exact_match" in warning for warning in found.warnings)


def test_perturbed_texts_are_left_out(copy: Path) -> None:
    def perturb(state: Any) -> None:
        for each in state["request_states"][-2:]:
            each["instance"]["perturbation"] = {"name": "typos"}

    _change(copy / "plain" / "scenario_state.json", perturb)
    _change(
        copy / "plain" / "per_instance_stats.json", lambda values: values[-1].update(perturbation={"name": "typos"})
    )
    log = read([copy], LogRequest(metric="exact_match"))
    assert log.notes == [f"{copy / 'plain'}: instances with perturbed texts are left out"]
    assert sorted(len(cell.outcomes) for cell in log.cells) == [3, 4]


def test_tokens_of_something_else_give_no_log_probabilities(copy: Path) -> None:
    def chat(state: Any) -> None:
        for each in state["request_states"]:
            each["result"]["completions"][0]["tokens"].append({"text": "<end>", "logprob": -0.1})

    _change(copy / "plain" / "scenario_state.json", chat)
    cells = {cell.place.wording: cell for cell in read([copy], LogRequest(metric="exact_match")).cells}
    assert (cells["plain"].scoring, cells["asked"].scoring) == (None, "loglikelihood")
    assert all(outcome.predicted is not None for outcome in cells["plain"].outcomes)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    assert recognizes(LOGS)
    assert recognizes(SEPARATE / "plain")
    assert not recognizes(tmp_path)
    with pytest.raises(FileError, match="no run folder of HELM"):
        read([tmp_path], LogRequest())
    with pytest.raises(UsageError, match="--example"):
        read([SEPARATE], LogRequest(example="id"))
