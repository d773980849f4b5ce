"""`phraseproof pairs from-task`: the file it writes, and negations all the way to the record of an adapter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.alignment.pairs import load_pairs
from support.command_line import exit_code as call
from support.tiny_models import tiny_llama


def collection(folder: Path, name: str, *asks: str, more: str = "", answer: str = "text") -> None:
    wordings = "".join(
        f"  - {{id: w{n}, ask: '{ask}', layout: '{{{{ question }}}}', answer: {answer}{more}}}\n"
        for n, ask in enumerate(asks)
    )
    (folder / f"{name}.yaml").write_text(f"name: {name}\ninstructions:\n{wordings}")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "".join(f"river {n},{'one' if n % 2 else 'two'}\n" for n in range(6))
    (tmp_path / "t.csv").write_text("question,label\n" + rows)
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [one, two]\nanswer: label\n")
    collection(tmp_path, "asked", "Name the number.")
    collection(tmp_path, "other", "Which number is it?", "Say the number.")
    collection(tmp_path, "negated", "Do not name the number.", "Which number is it not?")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def from_task(*more: str) -> int:
    return call(
        *("pairs", "from-task", "-t", "t.yaml", "-r", "asked.yaml", "-p", "other.yaml", "-o", "pairs.jsonl"), *more
    )


@pytest.mark.usefixtures("folder")
def test_a_tasks_pairs_have_the_negations_of_every_collection_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_task() == 0
    assert not any(pair.negations for pair in load_pairs(Path("pairs.jsonl")))
    collection(Path(), "more", "Name no number.")
    assert from_task("--negations", "negated.yaml,more.yaml") == 0
    assert "negation" not in capsys.readouterr().err
    pairs = load_pairs(Path("pairs.jsonl"))
    assert {pair.negations for pair in pairs} == {
        ("Do not name the number.", "Which number is it not?", "Name no number.")
    }
    assert {pair.paraphrases for pair in pairs} == {("Which number is it?", "Say the number.")}


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_negations_are_among_the_wordings_that_an_evaluation_warns_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_task("--negations", "negated.yaml") == 0
    common = ("--model", str(tiny_llama()), "--device", "cpu")
    trained = call(
        *("align", *common, "--pairs", "pairs.jsonl", "--method", "negation", "--max-steps", "1", "--out", "adapter")
    )
    assert trained == 0
    record = json.loads(Path("adapter/phraseproof.json").read_text())
    assert {"Do not name the number.", "Which number is it not?"} <= set(record["wordings"].values())
    capsys.readouterr()
    asked = ("--tasks", "t.yaml", "--instructions", "all=negated.yaml", "--out", "run")
    assert call("evaluate", *common, *asked, "--adapter", "adapter") == 0
    assert "was trained on 2 of the wordings under test" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_negations_for_other_tasks_stop_it(capsys: pytest.CaptureFixture[str]) -> None:
    collection(Path(), "negated", "Do not name the number.", more=", for: another-task")
    assert from_task("--negations", "negated.yaml") == 2
    assert capsys.readouterr().err == "error: --negations: no negated wording fits the task 't'\n"
    assert not Path("pairs.jsonl").exists()


@pytest.mark.usefixtures("folder")
def test_pairs_left_without_a_negation_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    collection(Path(), "negated", "Do not name the number.", answer="letter")
    assert from_task("--negations", "negated.yaml") == 0
    assert (
        "warning: 6 of 6 pairs have no negation that writes the answer as their reference does"
        in capsys.readouterr().err
    )


def test_every_example_is_rendered_under_every_reference(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collection(folder, "asked", "Name the number.", "What number is meant?")
    assert from_task() == 0
    done = capsys.readouterr()
    assert done.out == "12 pairs: pairs.jsonl\n"
    assert done.err == "warning: t has no demonstrations to train on; the pairs use its test examples\n"
    pairs = load_pairs(Path("pairs.jsonl"))
    assert [(pair.instruction, pair.input, pair.target) for pair in pairs] == [
        (ask, f"river {number}", "one" if number % 2 else "two")
        for number in range(6)
        for ask in ("Name the number.", "What number is meant?")
    ]


@pytest.mark.usefixtures("folder")
def test_a_reference_without_a_partner_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    collection(Path(), "lettered", "Name it by its letter.", answer="letter")
    assert from_task("--reference", "lettered.yaml") == 0
    printed = capsys.readouterr()
    assert "6 of 12 pairs were left out" in printed.err
    assert "6 pairs: pairs.jsonl" in printed.out


@pytest.mark.usefixtures("folder")
def test_a_smaller_draw_is_part_of_a_larger_one() -> None:
    draws: list[list[str]] = []
    for limit, seed in (("2", "0"), ("4", "0"), ("4", "1")):
        assert from_task("--limit", limit, "--seed", seed) == 0
        draws.append([pair.input for pair in load_pairs(Path("pairs.jsonl"))])
    assert [len(draw) for draw in draws] == [2, 4, 4]
    assert set(draws[0]) < set(draws[1])
    assert set(draws[1]) != set(draws[2])


@pytest.mark.usefixtures("folder")
def test_references_for_other_tasks_stop_it(capsys: pytest.CaptureFixture[str]) -> None:
    collection(Path(), "asked", "Name the number.", more=", for: another-task")
    assert from_task() == 2
    assert capsys.readouterr().err == "error: --reference: no reference wording fits the task 't'\n"


@pytest.mark.parametrize("kept", ["t.yaml", "asked.yaml", "other.yaml"])
def test_its_own_input_is_not_overwritten(kept: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / kept).read_text()
    assert from_task("--out", kept) == 2
    assert kept in capsys.readouterr().err
    assert (folder / kept).read_text() == before


def taught(*more: str) -> int:
    return from_task("--model", "scripted", "--quiet", *more)


@pytest.mark.usefixtures("folder")
def test_a_teacher_answers_in_place_of_the_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert taught("--teacher", "ensemble", "--teacher-as", "distribution") == 0
    printed = capsys.readouterr()
    assert printed.out == "6 pairs: pairs.jsonl\n"
    assert "note: t: the teacher is right on " in printed.err
    assert Path("pairs.teacher/run.json").is_file()
    pairs = load_pairs(Path("pairs.jsonl"))
    for pair in pairs:
        assert pair.teacher is not None
        assert (pair.teacher.name, pair.teacher.calibration) == ("ensemble", "batch")
        assert pair.teacher.wordings == ("asked/w0", "other/w0", "other/w1")
        assert pair.target == pair.options[pair.option_probabilities.index(max(pair.option_probabilities))]


@pytest.mark.usefixtures("folder")
def test_labels_that_are_placeholders_are_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert taught("--teacher", "majority", "--labels", "none") == 0
    first = load_pairs(Path("pairs.jsonl"))
    assert "not compared with labels" in capsys.readouterr().err
    rows = Path("t.csv").read_text().replace(",one", ",two")
    Path("t.csv").write_text(rows)
    assert taught("--teacher", "majority", "--labels", "none", "--teacher-run", "again") == 0
    assert [pair.target for pair in load_pairs(Path("pairs.jsonl"))] == [pair.target for pair in first]


@pytest.mark.usefixtures("folder")
def test_without_a_teacher_the_others_have_no_label(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_task("--labelled", "2") == 0
    assert "6 pairs, 4 of them without a label: pairs.jsonl" in capsys.readouterr().out
    assert sum(pair.labelled for pair in load_pairs(Path("pairs.jsonl"))) == 2
    assert from_task("--labels", "none") == 0
    assert not any(pair.target for pair in load_pairs(Path("pairs.jsonl")))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--teacher", "ensemble"), "--teacher requires --model"),
        (("--model", "scripted"), "--model requires --teacher"),
        (("--teacher-as", "distribution"), "--teacher-as requires --teacher"),
        (("--teacher-calibration", "batch"), "--teacher-calibration requires --teacher"),
        (("--teacher-run", "r"), "--teacher-run requires --teacher"),
        (("--device", "cpu"), "--device requires --teacher"),
    ],
)
def test_options_of_a_teacher_need_one(
    options: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_task(*options) == 2
    assert capsys.readouterr().err == f"error: {problem}\n"
