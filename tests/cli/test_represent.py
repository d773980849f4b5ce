"""`phraseproof represent`, from the command line to the stored findings."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from phraseproof.cli import main
from phraseproof.core import Prompt
from phraseproof.errors import RunError
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reports.build.representations import representation_results
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.report import render_report
from phraseproof.store.representations import MAP_FILE, load_map
from phraseproof.store.vectors import load_vectors
from support.command_line import Done, run_command
from support.run_files import edit_run_file


class Project:
    """A task of eight examples, five wordings in two groups, and the scripted model, which needs no torch."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys, self.run = folder, capsys, folder / "run"
        rows = "".join(f"Was it number {n}?,{'yes!' if n % 2 else 'no!'}\n" for n in range(8))
        (folder / "t.csv").write_text("question,label\n" + rows)
        task = "name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\ncategory: house\n"
        (folder / "t.yaml").write_text(task)
        self.write("seen", near="{{ question }}", other="Say it: {{ question }}")
        self.write(
            "new",
            close="Say this: {{ question }}",
            far="Whether or not, tell us now {{ question }}",
            same="{{ question }}",
        )

    def write(self, name: str, **templates: str) -> None:
        entries = [{"id": key, "template": text, "answer": "text"} for key, text in templates.items()]
        (self.folder / f"{name}.yaml").write_text(json.dumps({"name": name, "instructions": entries}))

    def call(self, verb: str, *arguments: str, out: str = "run") -> Done:
        command = [verb, "-m", "scripted", "-t", f"{self.folder}/t.yaml", "--out", f"{self.folder}/{out}"]
        command += ["--observed", f"{self.folder}/seen.yaml", "--unobserved", f"{self.folder}/new.yaml", *arguments]
        return run_command(self.capsys, *command)


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


def test_distances_accuracies_and_the_regression_are_shown_and_stored(project: Project) -> None:
    assert project.call("evaluate").code == 0
    done = project.call("represent", "--map", "pca")
    assert done.code == 0, done.err
    assert "distance" in done.out.splitlines()[0]
    assert "Over 3 wordings: " in done.out
    assert f"vectors and coordinates: {project.run}" in done.err
    found = load_map(project.run)
    assert found is not None
    by_name = {row.instruction: row for row in found.distances}
    assert by_name["new/same"].distance == 0.0
    assert by_name["new/close"].distance < by_name["new/far"].distance
    assert found.reference == "observed"
    assert len(found.points) == 5 * 8
    (task,) = found.tasks
    assert (task.num_wordings, task.num_examples) == (3, 8)
    assert task.distance == pytest.approx(np.mean([row.distance for row in found.distances]))
    assert found.regression is not None
    assert found.regression.n == 3


def test_rows_are_those_of_the_stored_findings_in_every_format(project: Project) -> None:
    assert project.call("evaluate").code == 0
    done = project.call("represent", "-q", "--map", "none", "--format", "csv")
    found = load_map(project.run)
    assert found is not None
    expected = representation_results(found, run=str(project.run), scoring="loglikelihood")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [(row["statistic"], row["wording"], float(row["estimate"])) for row in rows] == [
        (row.statistic, row.wording, pytest.approx(row.estimate)) for row in expected
    ]
    assert len(expected.select(level="wording", statistic="distance")) == 3
    shown: Any = json.loads(project.call("represent", "--json", "-q", "--map", "none").out)
    assert shown["results"]["rows"] == expected.to_dicts()
    for form, piece in (("markdown", "| --- |"), ("latex", "longtable")):
        assert piece in project.call("represent", "-q", "--map", "none", "--format", form).out


def test_json_is_json_and_equals_what_is_stored(project: Project) -> None:
    done = project.call("represent", "--json", "-q", "--map", "none")
    shown: Any = json.loads(done.out)
    found = load_map(project.run)
    assert found is not None
    assert shown["wordings"] == [row._asdict() for row in found.distances]
    assert shown["regression"] is None
    assert "at least three points with an accuracy (got 0)" in shown["regression_reason"]
    assert shown["points"] == 0


def test_vectors_are_the_models_own_of_the_prompts(project: Project) -> None:
    project.call("represent", "--map", "none")
    vectors = load_vectors(project.run).of("t", 0)
    assert vectors.array.shape == (5, 8, 8)
    row = vectors.array[vectors.instructions.index("seen/near")]
    wanted = ScriptedModel().represent([Prompt(f"Was it number {n}?") for n in range(8)])
    np.testing.assert_array_equal(np.sort(row, axis=0), np.sort(wanted, axis=0))
    (path, *_) = sorted((project.run / "representations" / "cells").rglob("*.parquet"))
    assert str(pq.read_schema(path).field("vector").type) == "fixed_size_list<element: float>[8]"


def test_a_second_time_nothing_is_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.call("represent", "--map", "none")

    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is left to read")

    monkeypatch.setattr(ScriptedModel, "represent", fail)
    again = project.call("represent", "--map", "none")
    assert again.code == 0
    assert "nothing is left to read" in again.err


def test_a_killed_run_goes_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = project.call("represent", "--map", "none", out="whole")
    cells = list((project.folder / "whole" / "representations" / "cells").rglob("*.parquet"))
    lost = {"new/far", "seen/other"}
    for path in cells:
        if pq.read_table(path)["instruction"][0].as_py() in lost:
            path.unlink()
    real, read = ScriptedModel.represent, list[str]()

    def count(self: ScriptedModel, prompts: Any, **options: Any) -> Any:
        read.extend(prompt.text for prompt in prompts)
        return real(self, prompts, **options)

    monkeypatch.setattr(ScriptedModel, "represent", count)
    again = project.call("represent", "--map", "none", out="whole")
    assert again.out == whole.out
    assert len(read) == 16


def read_prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts that the model reads from now on."""
    real, read = ScriptedModel.represent, list[str]()

    def count(self: ScriptedModel, prompts: Any, **options: Any) -> Any:
        read.extend(prompt.text for prompt in prompts)
        return real(self, prompts, **options)

    monkeypatch.setattr(ScriptedModel, "represent", count)
    return read


@pytest.mark.parametrize("shots", ["0", "2"])
def test_a_larger_sample_reads_only_what_is_new(project: Project, monkeypatch: pytest.MonkeyPatch, shots: str) -> None:
    """`seen/near` and `new/same` are one text, so four wordings are read."""
    options = ("--map", "none", "-k", shots)
    read = read_prompts(monkeypatch)
    project.call("represent", "-n", "3", *options)
    assert len(read) == 4 * 3
    before = set(read)
    read.clear()
    grown = project.call("represent", "-n", "8", *options)
    assert len(read) == 4 * 5
    assert not before & set(read)
    assert "leave this run" not in grown.err
    read.clear()
    project.call("represent", "-n", "8", *options, out="scratch")
    assert len(read) == 4 * 8
    one, other = (
        load_vectors(project.run).of("t", int(shots)),
        load_vectors(project.folder / "scratch").of("t", int(shots)),
    )
    assert one.example_ids == other.example_ids
    assert one.instructions == other.instructions
    np.testing.assert_array_equal(one.array, other.array)


def test_a_folder_that_does_not_list_its_samples_grows_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As earlier versions wrote it: the sample is in the settings only."""
    project.call("represent", "-n", "3", "--map", "none")
    edit_run_file(project.run / "representations", lambda content: content.pop("samples"))
    read = read_prompts(monkeypatch)
    project.call("represent", "-n", "8", "--map", "none")
    assert len(read) == 4 * 5


def test_stored_vectors_that_are_damaged_are_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.call("represent", "-n", "3", "--map", "none")
    cells = (project.run / "representations" / "cells").rglob("*.parquet")
    (path,) = (path for path in cells if pq.read_table(path)["instruction"][0].as_py() == "new/far")
    path.write_bytes(path.read_bytes()[:-10])
    read = read_prompts(monkeypatch)
    done = project.call("represent", "-n", "8", "--map", "none")
    assert done.code == 0
    assert len(read) == 4 * 5 + 3
    assert load_vectors(project.run).of("t", 0).array.shape == (5, 8, 8)


def test_other_vectors_under_the_checksum_of_a_cell_are_refused(project: Project) -> None:
    """A file that is whole and names its cell, with other numbers: only the checksum in run.json gives it away."""
    project.call("represent", "-n", "3", "--map", "none")
    path = min((project.run / "representations" / "cells").rglob("*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.take([1, 0, 2]), path)
    with pytest.raises(RunError, match="checksum"):
        load_vectors(project.run).of("t", 0)


def test_a_kill_loses_little(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors are stored as they come: a first bundle is small, whatever there is to read."""
    project.write("new", **{f"w{n}": f"wording {n}: {{{{ question }}}}" for n in range(20)})
    real, calls = ScriptedModel.represent, 0

    def stop(self: ScriptedModel, prompts: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return real(self, prompts, **options)

    monkeypatch.setattr(ScriptedModel, "represent", stop)
    assert project.call("represent", "--map", "none").code == 130
    stored = len(list((project.run / "representations" / "cells").rglob("*.parquet")))
    assert 0 < stored <= 8
    monkeypatch.setattr(ScriptedModel, "represent", real)
    done = project.call("represent", "--map", "none")
    assert done.code == 0
    assert f"{8 * stored} of 176 prompts were stored before" in done.err


def test_a_wording_that_was_edited_is_not_set_beside_the_accuracy_of_its_earlier_text(project: Project) -> None:
    project.call("evaluate")
    project.write("new", far="Now or never: {{ question }}")
    done = project.call("represent", "--map", "none")
    assert done.code == 2
    assert "the run holds accuracies of another text of the wording 'new/far'" in done.err
    assert not (project.run / "representations").exists()
    assert project.call("evaluate").code == 0
    assert project.call("represent", "--map", "none").code == 0


def test_data_that_was_edited_is_not_set_beside_the_accuracy_of_its_earlier_text(project: Project) -> None:
    """Also where the run and the vectors rest on samples of different sizes."""
    assert project.call("evaluate").code == 0
    assert project.call("represent", "--map", "none", "-n", "5").code == 0
    text = (project.folder / "t.csv").read_text()
    (project.folder / "t.csv").write_text(text.replace("number 7", "number 70"))
    done = project.call("represent", "--map", "none", "-n", "5")
    assert done.code == 2
    assert "the run holds accuracies on other data of the task 't', which was edited since" in done.err
    assert done.err.count("\n") == 1
    assert project.call("evaluate").code == 0
    assert project.call("represent", "--map", "none", "-n", "5").code == 0


def test_accuracies_that_changed_later_are_said_to_be_old(project: Project) -> None:
    project.call("evaluate")
    project.call("represent", "--map", "none")
    picture = str(project.folder / "d.svg")

    def plot() -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["plot", str(project.run), "--kind", "distance", "--out", picture])
        assert stopped.value.code == 0
        return project.capsys.readouterr().err

    assert "evaluated again" not in plot()
    project.write("new", far="Now or never: {{ question }}", close="Say this: {{ question }}", same="{{ question }}")
    project.call("evaluate")
    assert "The run was evaluated again after its distances were measured" in plot()
    page = render_report(open_sources([project.run]))
    assert page.count("The run was evaluated again after") == 1
    project.call("represent", "--map", "none")
    assert plot() == ""
    assert "The run was evaluated again" not in render_report(open_sources([project.run]))


def test_vectors_of_edited_data_leave_with_a_warning(project: Project) -> None:
    project.call("represent", "--map", "none")
    rows = "".join(f"Was it item {n}?,{'yes!' if n % 2 else 'no!'}\n" for n in range(8))
    (project.folder / "t.csv").write_text("question,label\n" + rows)
    project.write("new", close="Say this: {{ question }}")
    done = project.call("represent", "--map", "none")
    assert done.code == 0
    assert "data or wordings were edited, so 2 cells computed before leave this run: t under new/far, " in done.err
    assert "stored vectors are reused where nothing was edited" in done.err
    found = load_map(project.run)
    assert found is not None
    assert [row.instruction for row in found.distances] == ["new/close"]


def test_without_accuracies_the_table_says_where_they_come_from(project: Project) -> None:
    done = project.call("represent", "--map", "none")
    assert "phraseproof evaluate with the same --out adds them" in " ".join(done.out.split())


def test_what_fails_is_told_and_the_rest_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ScriptedModel.represent

    def fail(self: ScriptedModel, prompts: Any, **options: Any) -> Any:
        if any("Whether" in prompt.text for prompt in prompts):
            raise ValueError("no such luck")
        return real(self, prompts, **options)

    monkeypatch.setattr(ScriptedModel, "represent", fail)
    done = project.call("represent", "--map", "none")
    assert done.code == 4
    assert "t under new/far failed: ValueError: no such luck" in done.err
    assert "1 of 5 cells are missing" in done.err
    found = load_map(project.run)
    assert found is not None
    assert {row.instruction for row in found.distances} == {"new/close", "new/same"}


def test_before_and_after(project: Project) -> None:
    project.call("represent", "--map", "none", out="base")
    done = project.call("represent", "--map", "none", "--before", f"{project.folder}/base")
    assert "before" in done.out.splitlines()[0]
    assert "Nearer than before in 0 of 1 tasks" in done.out
    other = project.call("represent", "--map", "none", "-n", "5", "--before", f"{project.folder}/base", out="other")
    assert other.code == 2
    assert "not of the same model, sample and prompt format" in other.err


def test_another_layer_is_measured_stored_and_drawn_apart(project: Project) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    assert project.call("evaluate").code == 0
    penultimate = project.call("represent", "--map", "pca")
    done = project.call("represent", "--map", "pca", "--layer", "-1")
    assert "the group observed, layer 1; accuracy" in " ".join(done.out.split())
    assert "layer" not in penultimate.out
    assert done.out.splitlines()[2] != penultimate.out.splitlines()[2], "other distances"
    assert f"vectors and coordinates: {project.run}/representations-layer-1" in done.err
    one, other = load_map(project.run), load_map(project.run, 1)
    assert one is not None
    assert other is not None
    assert (one.layer, other.layer) == (None, 1)
    rows = representation_results(other, run="r").select(level="wording", statistic="distance")
    assert all(row.method.endswith("of the group observed, layer 1") for row in rows)
    chart = project.folder / "distance.svg"
    command = ["plot", str(project.run), "--kind", "distance", "--out", str(chart)]
    assert run_command(project.capsys, *command, "--layer", "1").code == 0
    assert "nearest observed wording, layer 1" in chart.read_text(encoding="utf-8")
    lacking = run_command(project.capsys, *command, "--layer", "3")
    assert lacking.code == 2
    assert "no representations of layer 3, counted from 0" in lacking.err


def test_before_without_the_same_observed_wordings_is_told(project: Project) -> None:
    project.write("seen", near="{{ question }}")
    project.call("represent", "--map", "none", out="base")
    project.write("seen", near="{{ question }}", other="Say it: {{ question }}")
    done = project.call("represent", "--map", "none", "--before", f"{project.folder}/base")
    assert done.code == 0
    wanted = (
        "note: no distance before the adapter on 't': "
        "the folder to compare with holds 1 of the 2 wordings of the group 'observed'\n"
    )
    assert wanted in done.err
    assert "before" not in done.out.splitlines()[0]
    shown: Any = json.loads(
        project.call("represent", "--json", "--map", "none", "--before", f"{project.folder}/base").out
    )
    assert [task["before"] for task in shown["tasks"]] == [None]
    assert len(shown["notes"]) == 1
    found = load_map(project.run)
    assert found is not None
    assert found.notes == tuple(shown["notes"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--map", "umap"], "no map is called 'umap'"),
        (["--before", "nowhere"], "no representations are stored here"),
        (["--layer", "2"], "the model has no such layer (expected -2 to 1, got 2)"),
        (["--limit", "0"], "cannot evaluate on so few examples"),
    ],
)
def test_bad_input_is_one_line(project: Project, arguments: list[str], problem: str) -> None:
    done = project.call("represent", *arguments)
    assert done.code == 2
    assert problem in done.err
    assert done.err.count("\n") == 1


def test_one_group_is_not_enough(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["represent", "-m", "scripted", "-t", f"{project.folder}/t.yaml", "-o", f"{project.run}",
              "--observed", f"{project.folder}/seen.yaml"])  # fmt: skip
    assert stopped.value.code == 2
    assert "distances need two groups of wordings" in capsys.readouterr().err


def test_another_models_run_is_refused(project: Project) -> None:
    project.call("evaluate")
    done = project.call("represent", "--map", "none", "--model-arg", "seed=4")
    assert done.code == 2
    assert "the folder holds a run with another setting of model.settings.seed" in done.err


def test_damaged_findings_are_one_line(project: Project) -> None:
    assert load_map(project.run) is None
    project.call("represent", "--map", "none")
    path = project.run / "representations" / MAP_FILE
    path.write_text("{")
    with pytest.raises(RunError, match="damaged"):
        load_map(project.run)
    path.write_text('{"version": 99}')
    with pytest.raises(RunError, match="another version"):
        load_map(project.run)
