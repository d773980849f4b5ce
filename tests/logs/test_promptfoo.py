"""Real output of promptfoo 0.123.1: SmolLM2 on four shipped reviews, and its echo provider with repeats and weights.

Token counts, times and addresses were removed from the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import FileError
from phraseproof.logs.assemble import Assembled, assemble
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.promptfoo import read, recognizes

LOGS = Path(__file__).parent / "data" / "promptfoo"
OPINIONS, REPEATS = LOGS / "opinions.json", LOGS / "repeats.json"


def _assembled(path: Path, **options: Any) -> Assembled:
    request = LogRequest(**options)
    return assemble(read([path], request), request, {})


def _changed(tmp_path: Path, change: Any, source: Path = OPINIONS) -> Path:
    content = json.loads(source.read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / "log.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_passes_are_those_that_promptfoo_counted() -> None:
    stats = json.loads(OPINIONS.read_text(encoding="utf-8"))["results"]["stats"]
    found = _assembled(OPINIONS)
    scores = [outcome.score for each in found.cells for outcome in each.logged.outcomes]
    assert (sum(scores), len(scores)) == (stats["successes"], stats["successes"] + stats["failures"]) == (2, 8)
    assert (found.met, found.warnings) == (2, [])
    assert {each.cell.instruction: each.logged.headline for each in found.cells} == {"plain": 0.25, "asked": 0.25}
    assert {each.cell.task for each in found.cells} == {"opinions"}
    assert found.model == "openai:chat:smollm2"


def test_texts_are_kept() -> None:
    plain = next(each.logged for each in _assembled(OPINIONS).cells if each.cell.instruction == "plain")
    assert plain.text == "Message: {{text}}\nAnswer with one word, positive or negative."
    assert [outcome.text for outcome in plain.outcomes][:2] == ["negative", "Bland food, tiny portions, sky"]


def test_repeats_and_weighted_scores() -> None:
    found = _assembled(REPEATS)
    cells = {
        (each.logged.place.score, each.cell.instruction, each.cell.repeat): [
            (outcome.example_id, outcome.score) for outcome in each.logged.outcomes
        ]
        for each in found.cells
    }
    one, two = sorted(
        {each.cell.instruction for each in found.cells}, key=lambda name: cells["pass", name, 0][0][1] == 0
    )
    assert one.startswith("prompt-")
    for repeat in (0, 1):
        assert cells["pass", one, repeat] == [("0", 1.0), ("2", 1.0), ("3", 1.0)]
        assert cells["pass", two, repeat] == [("0", 0.0), ("2", 1.0), ("3", 1.0)]
        assert cells["first", two, repeat] == [("0", 0.0)]
        # Two thirds of the weight are on the assertion that failed.
        assert cells["score", two, repeat] == [("0", pytest.approx(1 / 3)), ("2", 1.0), ("3", 1.0)]
    assert found.met == 4  # passes and scores of two prompts
    assert not found.warnings


def test_tests_in_error_are_counted_and_have_no_score(tmp_path: Path) -> None:
    def fail(content: Any) -> None:
        row = next(each for each in content["results"]["results"] if each["promptIdx"] == 0 and not each["success"])
        row["failureReason"] = 2
        metrics = content["results"]["prompts"][0]["metrics"]
        metrics["testErrorCount"], metrics["testFailCount"] = 1, metrics["testFailCount"] - 1

    found = _assembled(_changed(tmp_path, fail))
    assert [(each.logged.failed, len(each.logged.outcomes)) for each in found.cells] == [(1, 3), (0, 4)]
    assert found.met == 2
    assert "1 of 4 examples lack pass" in found.warnings[0]


def test_a_variable_identifies_examples() -> None:
    first = next(iter(next(iter(_assembled(OPINIONS, example="text").cells)).logged.outcomes))
    assert first.example_id.startswith("I had my doubts")
    with pytest.raises(FileError, match="a variable id"):
        _assembled(OPINIONS, example="id")


def test_other_tests_are_not_the_same_examples(tmp_path: Path) -> None:
    def other(content: Any) -> None:
        for row in content["results"]["results"]:
            if row["promptIdx"] == 1 and row["testIdx"] == 0:
                row["vars"]["text"] = row["testCase"]["vars"]["text"] = "another review"

    with pytest.raises(FileError, match="the example '0' of opinions is not that of"):
        _assembled(_changed(tmp_path, other))


def test_settings_of_the_provider_matter_and_keys_do_not(tmp_path: Path) -> None:
    def change(content: Any, **settings: object) -> None:
        content["config"]["providers"][0]["config"].update(settings)

    def settings(path: Path) -> object:
        return _assembled(path).settings

    assert settings(_changed(tmp_path, lambda content: change(content, apiKey="x"))) == settings(OPINIONS)
    for name, value in (("max_tokens", 9), ("temperature", 1)):
        changed = _changed(tmp_path, lambda content, name=name, value=value: change(content, **{name: value}))
        assert settings(changed) != settings(OPINIONS)


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert recognizes(OPINIONS)
    assert not recognizes(LOGS)
    path = _changed(tmp_path, lambda content: content["results"].update(version=2))
    with pytest.raises(FileError, match="of another version"):
        read([path], LogRequest())
    path.write_text('{"results": 1}', encoding="utf-8")
    assert not recognizes(path)
