"""`phraseproof analyze` and `import-results` on real run folders: what reaches stdout and stderr, and the exit code."""

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


class TestImportResults:
    ROWS = "".join(
        f"M,{dataset},{collection},{kind},{number},0,0.{number}{place},Logits,TRUE\n"
        for place, dataset in enumerate(("Winowhy", "StrategyQA"))
        for collection, kind in (("NIV2", "BC"), ("BBL", "Unobserved"))
        for number in (4, 5, 6, 7)
    )

    @pytest.fixture
    def imported(self, tmp_path: Path, call: Any) -> Path:
        (tmp_path / "r.csv").write_text(HEADER + self.ROWS, encoding="utf-8")
        done = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run", "--parameters", "3e9")
        assert (done.code, done.err) == (0, "")
        assert "M: 16 accuracies of wordings on 2 tasks, in observed, unobserved" in done.out
        return tmp_path / "run"

    def test_table_and_analyze_treat_it_as_any_other(self, imported: Path, call: Any):
        (table,) = json.loads(call("table", imported, "--json").out)["tables"]
        assert table["model"] == "M"
        assert table["tasks"][0]["groups"]["observed"]["mean_percent"] == pytest.approx(55)
        rows = json.loads(call("table", imported, "--by", "wording", "--json").out)["tables"][0]["rankings"]
        assert rows[0]["wordings"][0]["num_examples"] is None
        for form in ("text", "csv", "markdown", "latex"):
            assert call("table", imported, "--format", form).code == 0
        done = call("analyze", imported)
        assert done.code == 0
        assert "kappa: not enough data" in " ".join(done.out.split())
        assert "Only accuracies of wordings are known" in done.out

    def test_compare_and_report_treat_it_as_any_other(self, imported: Path, tmp_path: Path, call: Any):
        done = call("compare", imported, imported, "--json")
        assert done.code == 0
        assert "NaN" not in done.out
        page = tmp_path / "page.html"
        assert call("report", imported, "--out", page).code == 0
        assert "nan" not in page.read_text(encoding="utf-8").partition("<script")[0].lower()

    def test_an_interval_of_a_difference_stays_possible(self, imported: Path, call: Any):
        (found,) = json.loads(call("analyze", imported, "--json").out)["analyses"]
        over_tasks = found["tests"][0]["over_tasks"]
        assert over_tasks["n"] == 2
        assert -1 <= over_tasks["low"] <= over_tasks["high"] <= 1

    def test_what_needs_examples_says_so(self, imported: Path, call: Any):
        done = call("analyze", imported, "--against", "NIV2/BC/4", "--mixed")
        assert done.code == 0
        assert "outcomes of examples" in done.out

    def test_mistakes_are_one_line_and_exit_2(self, tmp_path: Path, imported: Path, call: Any):
        (tmp_path / "bad.csv").write_text(HEADER + "M,A,B,C,1,0,150,L,TRUE\n", encoding="utf-8")
        (tmp_path / "empty.csv").write_text(HEADER, encoding="utf-8")
        (tmp_path / "nobody.csv").write_text(HEADER + ",A,B,C,1,0,0.5,L,TRUE\n", encoding="utf-8")
        for arguments in (
            (tmp_path / "empty.csv", "--out", tmp_path / "x"),
            (tmp_path / "nobody.csv", "--out", tmp_path / "x"),
            (tmp_path / "bad.csv", "--out", tmp_path / "x"),
            (tmp_path / "none.csv", "--out", tmp_path / "x"),
            (tmp_path / "r.csv", "--out", tmp_path / "x", "--parameters", "0"),
            (tmp_path / "r.csv", "--out", tmp_path / "x", "--model", "N"),
            (tmp_path / "r.csv", "--out", tmp_path / "r.csv"),
        ):
            done = call("import-results", *arguments)
            assert (done.code, done.out) == (2, "")
            assert len(done.err.splitlines()) == 1

    def test_what_is_left_out_or_merged_is_told(self, tmp_path: Path, call: Any):
        rows = "M,A,NIV2,BC,1,0,0.5,L,TRUE\nM,A,NIV2,BC,1,0,0.6,L,TRUE\nM,A,NIV2,BC,2,0,0.6,L,FALSE\n"
        (tmp_path / "r.csv").write_text(HEADER + rows, encoding="utf-8")
        done = call("import-results", tmp_path / "r.csv", "--out", tmp_path / "run")
        assert done.code == 0
        assert "not true: 1 rows" in done.err
        assert "A: NIV2/BC/1" in done.err
