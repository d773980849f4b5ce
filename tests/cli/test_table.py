"""`phraseproof table` on real run folders: what reaches stdout and stderr, and the exit code."""

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest

import phraseproof
from phraseproof.cli import main
from phraseproof.cli.table import ByName, FormatName
from phraseproof.core import Cell, Outcome
from phraseproof.reports.format.tables import By, TableFormat
from phraseproof.store.writer import RunStore, Usage
from support.command_line import run_command
from support.known_causes import two_tasks
from support.parity_project import write_project

MODEL = {"name": "org/model", "revision": "r", "architecture": "A", "adapter": None}


def outcomes(right: int, of: int = 10) -> list[Outcome]:
    return [
        Outcome(str(n), float(n < right), ("a", "b"), (-0.1, -2.0), predicted=0, target=int(n >= right),
                prompt_tokens=3, computed_tokens=3)
        for n in range(of)
    ]  # fmt: skip


def write_run(path: Path, *, adapter: str | None = None, shots: int = 0, missing: int = 0) -> Path:
    """Two tasks of two groups: `today` has 5 and 7 of 10 right, `again` 4 and 6, and one less on the second task."""
    store = RunStore(path, {"model": {**MODEL, "adapter": adapter}, "scoring": "loglikelihood"})
    cells: dict[Cell, int] = {}
    for number, task in enumerate(("tickets/one", "tickets/two")):
        for group, counts in (("today", (5, 7)), ("again", (4 - number, 6 - number))):
            for wording, right in enumerate(counts):
                identity = f"{len(cells):032x}"
                cell = Cell(
                    identity, task, "tickets", f"{group}/{wording}", group, shots, fewshot_seed=0, num_examples=10
                )
                cells[cell] = right
    store.register(
        list(cells), {"instructions": {cell.instruction: {"text": f"Say {cell.instruction} | é."} for cell in cells}}
    )
    for cell, right in list(cells.items())[: len(cells) - missing]:
        store.write(cell, outcomes(right), Usage())
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "base")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys, "table")


def test_text_is_what_one_gets(run: Path, call: Any):
    done = call(run)
    assert (done.code, done.err) == (0, "")
    assert "org/model, 0-shot" in done.out
    (line,) = [line for line in done.out.splitlines() if line.startswith("  tickets/one")]
    assert line.split() == ["tickets/one", "60.0", "±", "14.1", "(2)", "50.0", "±", "14.1", "(2)", "-10.0"]
    assert "\x1b" not in done.out


def test_the_terminal_s_width_is_kept(run: Path, call: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "42")
    assert max(map(len, call(run).out.splitlines())) <= 42


@pytest.mark.parametrize("flags", [("--json",), ("--format", "json"), ("--format", "json", "--json")])
def test_json_holds_the_numbers_of_the_stored_rows(run: Path, call: Any, flags: tuple[str, ...]):
    done = call(run, *flags)
    (table,) = json.loads(done.out)["tables"]
    assert table["model"] == "org/model"
    assert table["run"] == str(run)
    assert table["groups"] == ["today", "again"]
    assert table["overall"]["groups"]["today"]["mean_percent"] == pytest.approx(60)
    assert table["overall"]["differences"]["again"]["percentage_points"] == pytest.approx(-15)
    assert table["comparisons"][0]["num_tasks"] == 2
    assert done.err == ""


def test_csv_of_several_runs_is_one_table(run: Path, tmp_path: Path, call: Any):
    other = write_run(tmp_path / "aligned", adapter="0123456789abcdef", shots=3)
    rows = list(csv.DictReader(io.StringIO(call(run, other, "--format", "csv", "--by", "wording").out)))
    assert len(rows) == 16
    assert {(row["model"], row["num_fewshot"]) for row in rows} == {
        ("org/model", "0"),
        ("org/model + adapter 01234567", "3"),
    }
    assert rows[0]["text"] == "Say today/1 | é."
    assert (rows[0]["mean_percent"], rows[0]["mark"]) == ("70.0", "best")


@pytest.mark.parametrize("name", get_args(FormatName))
@pytest.mark.parametrize("by", get_args(ByName))
def test_every_format_and_view(run: Path, call: Any, name: str, by: str):
    done = call(run, "--format", name, "--by", by)
    assert done.code == 0
    assert "tickets/two" in done.out


def test_the_choices_are_those_of_the_reports():
    assert set(get_args(FormatName)) == {form.value for form in TableFormat}
    assert set(get_args(ByName)) == {by.value for by in By}


def test_a_group_order_turns_the_comparison_round(run: Path, call: Any):
    (table,) = json.loads(call(run, "--json", "--group-order", "again, today").out)["tables"]
    assert table["reference_group"] == "again"
    assert table["overall"]["differences"]["today"]["percentage_points"] == pytest.approx(15)


def test_an_unfinished_run_is_shown_with_a_warning(tmp_path: Path, call: Any):
    done = call(write_run(tmp_path / "half", missing=3), "--json")
    assert done.code == 0
    assert "3 of 8 cells are missing" in done.err
    assert json.loads(done.out)["tables"][0]["notes"]


def test_what_csv_cannot_say_goes_to_stderr(tmp_path: Path, call: Any):
    done = call(write_run(tmp_path / "half", missing=1), "--format", "csv")
    assert "Only one wording of group again for tickets/two" in done.err
    assert "Only one wording" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--group-order", "yesterday"), "yesterday"),
        (("--group-order", "today,today"), "twice"),
        (("--group-order", "today,"), "no name"),
        (("--json", "--format", "csv"), "two formats"),
        (("--format", "html"), "html"),
        (("--by", "colour"), "colour"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(run: Path, call: Any, arguments: tuple[str, ...], words: str):
    done = call(run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path.mkdir() or path])
def test_what_is_no_run_is_one_line_and_exit_2(tmp_path: Path, call: Any, make: Any):
    done = call(make(tmp_path / "nothing"))
    assert (done.code, done.out) == (2, "")
    assert "nothing" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_run_without_a_finished_cell_is_one_line_and_exit_2(tmp_path: Path, call: Any):
    done = call(write_run(tmp_path / "begun", missing=8))
    assert (done.code, done.out) == (2, "")
    assert "error: " in done.err.splitlines()[-1]


def test_a_terminal_that_cannot_show_a_sign_still_gets_a_table(run: Path, monkeypatch: pytest.MonkeyPatch):
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    with pytest.raises(SystemExit) as stopped:
        main(["table", str(run)])
    assert stopped.value.code == 0
    assert b"60.0 ? 14.1 (2)" in shown.getvalue()


def test_every_scoring_of_a_run_has_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write_project(tmp_path, examples=4, wordings=2)
    groups = {"mine": str(project / "wordings.yaml")}
    scorings = "loglikelihood,loglikelihood_norm"
    phraseproof.evaluate("scripted", str(project / "task.yaml"), groups, tmp_path / "run", scoring=scorings)
    done = run_command(capsys, "table", tmp_path / "run", "--json")
    assert [table["scoring"] for table in json.loads(done.out)["tables"]] == scorings.split(",")
    assert "shows the others" not in done.err
    one = run_command(capsys, "table", tmp_path / "run", "--json", "--scoring", "loglikelihood_norm")
    assert [table["scoring"] for table in json.loads(one.out)["tables"]] == ["loglikelihood_norm"]


def test_causes_are_shown_and_refuse_what_they_do_not_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(two_tasks(tmp_path / "run").path)
    text = run_command(capsys, "table", run, "--causes").out
    assert "equal: The spread is no larger than what 40 examples give by chance." in text
    document = json.loads(run_command(capsys, "table", run, "--causes", "--json").out)
    assert document["results"]["rows"] == phraseproof.table(run, causes=True).to_dicts()
    refused = run_command(capsys, "table", run, "--causes", "--covariates")
    assert refused.code == 2
    assert "--causes does not use --covariates" in refused.err
