"""`phraseproof analyze` on real run folders: what reaches stdout and stderr, and the exit code."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.store.writer import RunStore, Usage
from support.command_line import run_command

RELATIONS = {"plain": "observed", "negated": "negated"}
HEADER = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?\n"


def write_run(
    path: Path,
    *,
    wordings: int = 4,
    examples: int = 12,
    model: str = "org/model",
    missing: int = 0,
    guesses: bool = False,
) -> Path:
    """Two tasks of two groups, `plain` and `negated`; the negated wordings get one example in three right, and so do
    the plain ones where the model `guesses`."""
    store = RunStore(path, {"model": {"name": model, "adapter": None}, "scoring": "loglikelihood"})
    cells = [
        Cell(f"{number:032x}", task, "c", f"{group}/{wording}", group, 0, 0, examples)
        for number, (task, group, wording) in enumerate(
            (task, group, wording)
            for task in ("one", "two")
            for group in ("plain", "negated")
            for wording in range(wordings)
        )
    ]
    store.register(
        cells,
        {
            "groups": {"plain": {}, "negated": {}},
            "instructions": {
                cell.instruction: {
                    "text": cell.instruction,
                    "relation": RELATIONS[cell.group],
                }
                for cell in cells
            },
        },
    )
    for number, cell in enumerate(cells[: len(cells) - missing]):
        knows = cell.group == "plain" and not guesses
        right = [((n + number) % 3 == 0) != knows for n in range(examples)]
        outcomes = [
            Outcome(
                f"e{n}", float(good), ("a", "b", "c"), (-1.0, -2.0, -3.0), predicted=0 if good else 1 + n % 2, target=0
            )
            for n, good in enumerate(right)
        ]
        store.write(cell, outcomes, Usage())
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "base")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    return partial(run_command, capsys)


def test_text_says_it_all(run: Path, call: Any):
    done = call("analyze", run)
    assert (done.code, done.err) == (0, "")
    for words in ("org/model, 0-shot", "Fleiss' kappa", "negated minus plain", "paired t-test", "permutation",
                  "negated: reading, it scores worse than plain", "wordings, 50 examples",
                  "Not enough wordings"):  # fmt: skip
        assert words in " ".join(done.out.split())
    assert "nan" not in done.out.lower()


@pytest.mark.parametrize("width", [40, 80])
def test_the_terminal_s_width_is_kept(run: Path, call: Any, monkeypatch: pytest.MonkeyPatch, width: int):
    monkeypatch.setenv("COLUMNS", str(width))
    done = call("analyze", run, "--by-task", "--against", "plain/0", "--mixed")
    assert max(map(len, done.out.splitlines())) <= width


def test_json_has_the_numbers_of_the_table(run: Path, call: Any):
    (found,) = json.loads(call("analyze", run, "--json").out)["analyses"]
    (table,) = json.loads(call("table", run, "--json").out)["tables"]
    for mine, theirs in zip((*found["tasks"], found["overall"]), (*table["tasks"], table["overall"]), strict=True):
        for group, statistics in mine["groups"].items():
            mean = statistics["statistics"]["mean"]["estimate"]
            assert 100 * mean == pytest.approx(theirs["groups"][group]["mean_percent"])
        difference = mine["differences"]["negated"]
        assert 100 * difference["estimate"] == pytest.approx(theirs["differences"]["negated"]["percentage_points"])
        assert difference["low"] < difference["estimate"] < difference["high"]
    assert found["tests"][0]["over_tasks"]["n"] == 2
    assert {verdict["word"] for verdict in found["verdicts"]} == {"reading"}
    assert sum(found["variances"][0][part] for part in ("wording", "example", "interaction")) > 0


def test_a_model_that_guesses_is_not_said_to_read_or_not(tmp_path: Path, call: Any):
    done = call("analyze", write_run(tmp_path / "guess", guesses=True))
    words = " ".join(done.out.split())
    assert (
        "negated: at chance, it shows nothing, because plain is not shown to be better than guessing either (33.3% ["
        in words
    )
    assert "chance 33.3%)" in words
    assert "reading," not in words


def test_every_wording_against_one(run: Path, call: Any):
    (found,) = json.loads(call("analyze", run, "--json", "--against", "plain/0").out)["analyses"]
    assert [each["task"] for each in found["against"]] == ["one", "two"]
    tests = found["against"][0]["wordings"]
    assert len(tests) == 7
    assert "plain/0" not in {test["instruction"] for test in tests}
    assert all(test["difference"]["p_value"] <= test["p_holm"] <= 1 for test in tests)


def test_mixed_models_are_fitted_where_asked_for(run: Path, call: Any):
    (found,) = json.loads(call("analyze", run, "--json", "--mixed").out)["analyses"]
    assert len(found["mixed_effects"]) == 4
    assert all(0 <= each["wording"] <= 1 for each in found["mixed_effects"])


def test_rows_of_wordings_and_mixed_models_equal_the_json(run: Path, call: Any):
    asked = ("--against", "plain/0", "--mixed")
    (found,) = json.loads(call("analyze", run, "--json", *asked).out)["analyses"]
    rows = list(csv.DictReader(call("analyze", run, "--format", "csv", *asked).out.splitlines()))
    tests = {
        (task["task"], test["instruction"], test["group"]): test
        for task in found["against"]
        for test in task["wordings"]
    }
    shown = {
        (row["task"], row["wording"], row["group"]): row
        for row in rows
        if row["level"] == "wording" and row["statistic"] == "difference from plain/0"
    }
    assert set(shown) == set(tests)
    for key, row in shown.items():
        assert float(row["estimate"]) == pytest.approx(100 * tests[key]["difference"]["estimate"])
        assert float(row["p_value"]) == tests[key]["p_holm"]
    fitted = {(each["task"], each["group"]): each for each in found["mixed_effects"]}
    shares = [row for row in rows if row["statistic"] == "wording share of log-odds variance"]
    assert [(row["task"], row["group"]) for row in shares] == list(fitted)
    for row in shares:
        assert float(row["estimate"]) == pytest.approx(100 * fitted[row["task"], row["group"]]["wording"])
    spreads = [row for row in rows if row["statistic"] == "std of wordings"]
    assert all(float(row["low"]) <= float(row["estimate"]) <= float(row["high"]) for row in spreads)


def test_the_same_seed_says_the_same(run: Path, call: Any):
    assert call("analyze", run, "--seed", "3").out == call("analyze", run, "--seed", "3").out
    assert call("analyze", run, "--seed", "3").out != call("analyze", run, "--seed", "4").out


def test_scaling_over_runs(run: Path, tmp_path: Path, call: Any):
    other = write_run(tmp_path / "large", model="org/large", wordings=3)
    sizes = ("--parameters", f"{run}=1e8", "--parameters", f"{other}=1e9")
    done = call("analyze", run, other, "--scaling", *sizes)
    assert done.code == 0
    assert "Does the gap shrink with size?" in done.out
    found = json.loads(call("analyze", run, other, "--scaling", *sizes, "--json").out)
    assert {point["parameters"] for point in found["scaling"]["points"]} == {10**8, 10**9}


def test_an_unfinished_run_is_shown_with_a_warning(tmp_path: Path, call: Any):
    done = call("analyze", write_run(tmp_path / "half", missing=4))
    assert done.code == 0
    assert "4 of 16 cells are missing" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--margin", "0"), "--margin"),
        (("--margin", "nan"), "--margin"),
        (("--difference", "-1"), "--difference"),
        (("--group-order", "yesterday"), "yesterday"),
        (("--against", "nobody/1"), "nobody/1"),
        (("--scaling",), "how many parameters"),
        (("--parameters", "elsewhere=1e9"), "elsewhere"),
        (("--parameters", "many"), "RUN=NUMBER"),
        (("--seed", "-1"), "seed"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(run: Path, call: Any, arguments: tuple[str, ...], words: str):
    done = call("analyze", run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1
