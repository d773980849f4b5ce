"""Real logs of Inspect 0.3.285: SmolLM2 on three shipped reviews in two epochs, and a scripted model that failed once.

They were written again by Inspect without the events of the samples.
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
from phraseproof.logs.eval_archive import EvalArchive
from phraseproof.logs.inspect_log import read, recognizes
from phraseproof.logs.write import write_imported

LOGS = Path(__file__).parent / "data" / "inspect"
(SCRIPTED,) = LOGS.glob("*.json")
REAL = sorted(LOGS.glob("*.eval"))


def _assembled(*paths: Path, **options: Any) -> Assembled:
    request = LogRequest(**options)
    return assemble(read(paths, request), request, {})


def _changed(tmp_path: Path, change: Any, name: str = "log.json") -> Path:
    content = json.loads(SCRIPTED.read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_means_are_those_that_inspect_printed() -> None:
    found = _assembled(*REAL)
    means: dict[tuple[str, str], list[float]] = {}
    for cell, logged in found.cells:
        scores = [outcome.score for outcome in logged.outcomes]
        means.setdefault((logged.place.score, cell.instruction), []).append(sum(scores) / len(scores))
    # One mean per epoch; the temperature was 0.
    assert means == {
        ("includes", "plain"): [0.0, 0.0],
        ("includes", "asked"): [1 / 3, 1 / 3],
        ("match", "plain"): [0.0, 0.0],
        ("match", "asked"): [0.0, 0.0],
    }
    assert (found.met, found.warnings) == (4, [])
    assert found.model == "openai-api/local/smollm2"


def test_texts_and_references_are_kept() -> None:
    (cell,) = (
        each
        for each in _assembled(*REAL).cells
        if each.logged.headline == pytest.approx(1 / 3) and not each.cell.repeat
    )
    assert [outcome.example_id for outcome in cell.logged.outcomes] == ["1", "2", "3"]
    assert [outcome.reference for outcome in cell.logged.outcomes] == ["positive", "negative", "positive"]
    assert [outcome.score for outcome in cell.logged.outcomes if "positive" in (outcome.text or "")][-1] == 1.0


def test_letters_become_options_and_a_failed_sample_is_counted() -> None:
    found = _assembled(SCRIPTED)
    (cell,) = found.cells
    assert (cell.cell.metric, cell.cell.instruction, cell.logged.failed) == ("accuracy", "inspect", 1)
    assert [(each.options, each.predicted, each.target, each.score) for each in cell.logged.outcomes] == [
        (("negative", "positive"), 1, 1, 1.0),
        (("negative", "positive"), 1, 0, 0.0),
        (("negative", "positive"), None, 1, 0.0),
    ]
    assert found.met == 1


def test_the_argument_that_differs_is_the_wording(tmp_path: Path) -> None:
    def other(content: Any) -> None:
        content["eval"]["task_args"] = {"prompt": "other"}

    def twice(content: Any) -> None:
        content["eval"]["task_args"] = {"prompt": "third", "shots": 3}

    second = _changed(tmp_path, other, "a.json")
    assert {each.cell.instruction for each in _assembled(SCRIPTED, second).cells} == {"mock", "other"}
    third = _changed(tmp_path, twice, "b.json")
    with pytest.raises(UsageError, match="differ in several arguments"):
        _assembled(SCRIPTED, third)
    found = _assembled(SCRIPTED, third, wordings=("field:prompt",))
    assert {each.cell.instruction for each in found.cells} == {"mock", "third"}


def test_one_evaluation_repeated_is_no_second_wording(tmp_path: Path) -> None:
    shutil.copy(SCRIPTED, tmp_path / "again.json")
    with pytest.raises(FileError, match="a second result"):
        _assembled(SCRIPTED, tmp_path / "again.json", wordings=("field:prompt",))


def test_another_temperature_is_no_wording(tmp_path: Path) -> None:
    def warmer(content: Any) -> None:
        content["eval"]["task_args"] = {"prompt": "warm"}
        content["plan"]["config"]["temperature"] = 0.7

    with pytest.raises(FileError, match="another setting of temperature"):
        _assembled(SCRIPTED, _changed(tmp_path, warmer))


def test_scores_of_several_kinds(tmp_path: Path) -> None:
    def kinds(content: Any) -> None:
        content["status"] = "cancelled"
        for sample, value in zip(
            content["samples"], ({"a": "C", "b": 0.25}, {"a": "P", "b": True}, ["x"]), strict=False
        ):
            sample["scores"]["choice"]["value"] = value

    path = _changed(tmp_path, kinds)
    log = read([path], LogRequest())
    found = {cell.place.score: [outcome.score for outcome in cell.outcomes] for cell in log.cells}
    assert found == {"choice/a": [1.0, 0.5], "choice/b": [0.25, 1.0]}
    assert log.notes == [
        f"{path}: the evaluation has the status cancelled",
        "choice is left out: it is not a number for each example",
    ]


def test_options_in_other_orders_are_no_options(tmp_path: Path) -> None:
    def shuffle(content: Any) -> None:
        content["plan"]["steps"] = [{"solver": "multiple_choice", "params": {"shuffle": True}}]

    (cell,) = _assembled(_changed(tmp_path, shuffle)).cells
    assert all(not outcome.options for outcome in cell.logged.outcomes)


def test_samples_without_a_right_answer_have_no_reference(tmp_path: Path) -> None:
    def empty(content: Any) -> None:
        for sample in content["samples"]:
            sample["target"] = []

    (cell,) = _assembled(_changed(tmp_path, empty)).cells
    assert {outcome.reference for outcome in cell.logged.outcomes} == {None}


def test_other_versions_and_other_files_are_refused(tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda content: content.update(version=1))
    with pytest.raises(FileError, match="another version of Inspect"):
        read([path], LogRequest())
    (tmp_path / "x.eval").write_bytes(REAL[0].read_bytes()[:900])
    with pytest.raises(FileError, match="not an Inspect log"):
        read([tmp_path / "x.eval"], LogRequest())
    assert recognizes(LOGS)
    assert recognizes(SCRIPTED)
    (tmp_path / "y.json").write_text('{"results": 1}', encoding="utf-8")
    assert not recognizes(tmp_path / "y.json")
    assert not recognizes(tmp_path / "y.txt")


def _with_listed(*shares: tuple[float, float]) -> Any:
    """A change of the scripted log: `B` is the answer, and these are the probabilities of A and B there."""

    def change(content: Any) -> None:
        del content["samples"][2:]
        content["plan"]["config"]["top_logprobs"] = 2
        for sample, (first, second) in zip(content["samples"], shares, strict=True):
            top = [{"token": f" {name}", "logprob": math.log(share)} for name, share in (("A", first), ("B", second))]
            tokens: list[dict[str, object]] = [{"token": text, "logprob": 0.0} for text in ("ANSWER", ":")]
            tokens.append({"token": " B", "logprob": math.log(second), "top_logprobs": top})
            sample["output"]["choices"][0]["logprobs"] = {"content": tokens}

    return change


def test_listed_tokens_at_the_answer_become_log_probabilities_of_options(tmp_path: Path) -> None:
    (cell,) = _assembled(_changed(tmp_path, _with_listed((0.25, 0.5), (0.25, 0.75)))).cells
    assert (cell.cell.scoring, cell.cell.metric) == ("first_token", "accuracy")
    found = [[math.exp(value) for value in outcome.option_logprobs] for outcome in cell.logged.outcomes]
    assert found == [pytest.approx([0.25, 0.5]), pytest.approx([0.25, 0.75])]
    # In the first one, an unlisted spelling of A may have as much as the quarter that A has.
    assert [outcome.is_open for outcome in cell.logged.outcomes] == [True, False]


def test_listed_tokens_that_choose_another_answer_are_left_out(tmp_path: Path) -> None:
    found = _assembled(_changed(tmp_path, _with_listed((0.25, 0.5), (0.5, 0.25))))
    (cell,) = found.cells
    assert cell.cell.scoring == "imported"
    assert not any(outcome.option_logprobs or outcome.option_upper_logprobs for outcome in cell.logged.outcomes)
    assert (
        "choice: the log-probabilities of the options are left out: in 1 of 2 outcomes they choose another option than "
        "the log says"
    ) in found.warnings


def test_the_tokens_of_a_real_server_are_read(tmp_path: Path) -> None:
    """SmolLM2, asked for one letter with the five most probable tokens; `B` is in no list of one of the wordings."""
    found = _assembled(LOGS.parent / "inspect_tokens")
    assert (found.met, found.warnings) == (2, [])
    for cell, logged in found.cells:
        assert (cell.scoring, cell.metric) == ("first_token", "accuracy")
        samples = {str(each["id"]): each for each in EvalArchive(Path(logged.where)).samples()}
        for outcome in logged.outcomes:
            answer: Any = samples[outcome.example_id]["output"]
            listed = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            for letter, logprob in zip("AB", outcome.option_logprobs, strict=True):
                shares = [math.exp(each["logprob"]) for each in listed if each["token"].strip() == letter]
                assert math.exp(logprob) == pytest.approx(sum(shares))
    log = read([LOGS.parent / "inspect_tokens"], LogRequest())
    run = write_imported(found, log, "inspect", tmp_path / "run").run
    assert run.query_rows("SELECT min(option_logprobs[2]) AS least FROM outcomes") == [{"least": -math.inf}]
