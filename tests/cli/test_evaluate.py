"""`phraseproof evaluate`: what it prints where, and what its exit code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.store.queries import load_run
from support.command_line import Done, run_command
from support.parity_project import write_project


class Project:
    """A task of three examples, a collection of two wordings, and `phraseproof evaluate` on them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.run = folder / "run"
        (folder / "t.csv").write_text("question,label\nIs it?,yes!\nWas it?,no!\nWill it be?,yes!\n")
        (folder / "t.yaml").write_text(
            "name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\ncategory: house\n"
        )
        self.write("w.yaml", one="{{ question }}", two="Say: {{ question }}")

    def write(self, file: str, **templates: str) -> Path:
        entries = [{"id": name, "template": text, "answer": "text"} for name, text in templates.items()]
        (self.folder / file).write_text(json.dumps({"name": file.removesuffix(".yaml"), "instructions": entries}))
        return self.folder / file

    def evaluate(self, *arguments: str, wordings: str = "w.yaml", out: str | None = "run") -> Done:
        command = ["evaluate", "-m", "scripted", "-t", str(self.folder / "t.yaml")]
        command += ["-i", f"mine={self.folder / wordings}"]
        return self.call(*command, *(["-o", str(self.folder / out)] if out else []), *arguments)

    def call(self, *arguments: str) -> Done:
        return run_command(self.capsys, *arguments)


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


def test_the_table_goes_to_stdout_and_the_rest_to_stderr(project: Project) -> None:
    done = project.evaluate()
    assert done.code == 0
    assert done.out.startswith("scripted, 0-shot\n")
    assert done.err == f"loading scripted and testing its scores\nrun folder: {project.run}\n"


def test_json_is_all_there_is_on_stdout(project: Project) -> None:
    (table,) = json.loads(project.evaluate("--json").out)["tables"]
    assert table["tasks"][0]["groups"]["mine"]["num_wordings"] == 2


def test_dry_run_writes_nothing_and_needs_no_folder(project: Project) -> None:
    done = project.evaluate("--dry-run", "--json", out=None)
    forecast = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    # By hand, in words: seven in the three questions, and "Say:" before each; two options of one word a prompt.
    assert forecast == {
        "cells": 2,
        "prompts": 6,
        "cells_missing": 2,
        "prompts_missing": 6,
        "tokens_asked": 2 * (7 + 7 + 3) + 6 * 2,
        "tokens_unique": 7 + 7 + 3 + 6 * 2,
        "sampled_prompts": 6,
    }
    assert project.evaluate("--dry-run").out.startswith("cells                        2  (2 to compute)\n")
    assert not project.run.exists()


def test_dry_run_leaves_a_finished_run_as_it_is(project: Project) -> None:
    project.evaluate()
    before = {path: path.stat().st_mtime_ns for path in project.run.rglob("*")}
    forecast = json.loads(project.evaluate("--dry-run", "--json").out)
    assert (forecast["cells_missing"], forecast["tokens_asked"]) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in project.run.rglob("*")} == before


def test_going_on_says_what_was_there(project: Project) -> None:
    project.evaluate()
    assert "all 6 prompts were stored before; nothing is left to score\n" in project.evaluate().err
    next(project.run.rglob("*.parquet")).unlink()
    assert "3 of 6 prompts were stored before; continuing with the rest\n" in project.evaluate().err
    assert "prompts" not in project.evaluate("--quiet").err


def test_exit_code_4_is_about_the_cells_that_were_asked_for(project: Project) -> None:
    failing = "{{ 1 // (0 if question == 'Was it?' else 1) }}"
    project.write("bad.yaml", bad=failing, worse=f"{failing} {{{{ question }}}}")
    done = project.evaluate(wordings="bad.yaml")
    assert done.code == 4
    assert done.out == ""
    assert "failed: t under bad/bad: " in done.err
    assert "2 of 2 cells are missing; the same command tries them again\n" in done.err
    others = project.evaluate()
    assert others.code == 0
    assert "2 cells of earlier commands in this folder are missing as well\n" in others.err
    assert "failed" not in others.err
    assert len(load_run(project.run).failures) == 2


def test_ctrl_c_says_how_to_go_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from phraseproof.models.scripted import ScriptedModel

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ScriptedModel, "score_options", interrupted)
    done = project.evaluate("--no-self-test")
    assert (done.code, done.out) == (130, "")
    kept = f"stopped: 0 of 6 prompts are stored in {project.run}; the same command continues from there\n"
    assert done.err.endswith(kept)
    assert done.err.count("stopped") == 1


def test_a_folder_that_is_a_file(project: Project) -> None:
    done = project.evaluate(out="t.csv")
    assert done.code == 2
    assert (
        done.err == f"error: {project.folder / 't.csv'}: a run needs a folder, and this is a file. Give another --out\n"
    )


def test_options_that_take_a_list_may_be_repeated(project: Project) -> None:
    """`-t a -t b` once meant b alone, without a word."""
    other = project.folder / "other.yaml"
    other.write_text((project.folder / "t.yaml").read_text().replace("name: t", "name: other"))
    more = project.write("more.yaml", three="Answer: {{ question }}")
    done = project.evaluate("-t", str(other), "--observed", str(more), "--observed", str(project.folder / "w.yaml"))
    assert done.code == 0, done.err
    cells = load_run(project.run).cells
    assert {cell.task for cell in cells} == {"t", "other"}
    assert {cell.instruction for cell in cells if cell.group == "observed"} == {"more/three", "w/one", "w/two"}


@pytest.mark.parametrize("option", [["--timing"], ["--price-per-million", "1,2"]])
def test_what_belongs_to_a_dry_run_needs_one(project: Project, option: list[str]) -> None:
    done = project.evaluate(*option)
    assert done.code == 2
    assert f"{option[0]} requires --dry-run" in done.err


def test_several_scorings_print_a_table_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write_project(tmp_path, examples=4, wordings=2)
    given = ("-m", "scripted", "-t", project / "task.yaml", "--instructions", f"mine={project / 'wordings.yaml'}")
    scorings = "loglikelihood,loglikelihood_norm"
    done = run_command(capsys, "evaluate", *given, "--out", tmp_path / "run", "--scoring", scorings, "--json", "-q")
    assert done.code == 0, done.err
    assert [table["scoring"] for table in json.loads(done.out)["tables"]] == scorings.split(",")
    twice = run_command(capsys, "evaluate", *given, "--out", tmp_path / "run", "--scoring", "paper,paper")
    assert twice.code == 2
    assert "each once" in twice.err
