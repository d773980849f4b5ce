"""From names and files to a run: what is refused, what is warned of, and what becomes of a run whose inputs change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import UsageError
from phraseproof.store.queries import Run

ROWS = ["Is it?,yes!", "Was it?,no!", "Will it be?,yes!"]


class Listening:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def started(self, *, total: int, done: int) -> None: ...

    def advanced(self, prompts: int) -> None: ...

    def noted(self, message: str) -> None: ...

    def warned(self, message: str) -> None:
        self.warnings.append(message)


class Project:
    """A folder with tasks and wordings, and the run that is made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listening = Listening()
        self.write_task("t")
        self.write_wordings("w.yaml", one="{{ question }}", two="Say: {{ question }}")

    def write_task(self, name: str, rows: list[str] = ROWS) -> str:
        (self.folder / f"{name}.csv").write_text("\n".join(["question,label", *rows, ""]))
        path = self.folder / f"{name}.yaml"
        path.write_text(f"name: {name}\nkind: binary\ndata: {name}.csv\nchoices: [yes!, no!]\nanswer: label\n")
        return str(path)

    def write_wordings(self, file: str, *, serves: str = "", **templates: str) -> str:
        entries = [{"id": name, "template": template, "answer": "text"} for name, template in templates.items()]
        head: dict[str, Any] = {"name": "w", "instructions": entries} | ({"for": serves} if serves else {})
        (self.folder / file).write_text(json.dumps(head))  # JSON is YAML
        return str(self.folder / file)

    def evaluate(self, groups: dict[str, Any] | None = None, tasks: Any = "t.yaml", **options: Any) -> Run:
        named = tasks if not isinstance(tasks, str) else [str(self.folder / name) for name in tasks.split(",")]
        wordings = groups or {"mine": self.folder / "w.yaml"}
        return phraseproof.evaluate(
            "scripted", named, wordings, self.folder / "run", observer=self.listening, self_test=False, **options
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def scores(run: Run) -> set[tuple[str, str, str]]:
    return {(row.task, row.group, row.instruction) for row in run.wording_scores()}


def test_tasks_may_be_named_by_path(project: Project) -> None:
    run = project.evaluate(tasks=project.folder / "t.yaml")
    assert scores(run) == {("t", "mine", "w/one"), ("t", "mine", "w/two")}


@pytest.mark.parametrize("groups", [{}, "composed", ["composed"], None])
def test_wordings_without_a_group_are_refused(project: Project, groups: Any) -> None:
    with pytest.raises(UsageError, match=r"instructions=\{'mine': 'my\.yaml'\}"):
        phraseproof.evaluate("scripted", str(project.folder / "t.yaml"), groups, project.folder / "run")


def test_an_unknown_option_is_refused_rather_than_ignored(project: Project) -> None:
    with pytest.raises(TypeError, match="num_fewshots"):
        project.evaluate(num_fewshots=2)
    assert not (project.folder / "run").exists()


@pytest.mark.parametrize("option", ["num_fewshot", "fewshot_seed"])
@pytest.mark.parametrize("value", [-1, 2**31, (1, 1), ()])
def test_numbers_that_no_column_holds_are_refused(project: Project, option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"0 to {2**31 - 1}, each once"):
        project.evaluate(**{option: value})


def test_a_task_that_nothing_serves_says_what_the_wordings_are_for(project: Project) -> None:
    project.write_wordings("other.yaml", serves="summarization", one="{{ question }}")
    with pytest.raises(UsageError, match=r"no wording fits the task 't' \(binary\).*wordings for: summarization"):
        project.evaluate({"mine": project.folder / "other.yaml"})


def test_tasks_that_a_group_does_not_serve_are_told_in_one_line(project: Project) -> None:
    names = ["t", *(f"t{number}" for number in range(6))]
    files = ",".join(Path(project.write_task(name)).name for name in names)
    project.write_wordings("narrow.yaml", serves="t", narrow="{{ question }}")
    run = project.evaluate({"wide": project.folder / "w.yaml", "narrow": project.folder / "narrow.yaml"}, files)
    assert project.listening.warnings == ["the group 'narrow' has no wording for t0, t1, t2, t3, t4 and 1 more"]
    assert ("t", "narrow", "w/narrow") in scores(run)


def test_it_is_told_when_demonstrations_are_other_test_examples(project: Project) -> None:
    project.evaluate(num_fewshot=(0, 1))
    (warning,) = project.listening.warnings
    assert warning.startswith("no demonstrations are set apart for t:")
    with_own = Task(
        "own",
        Kind.BINARY,
        "own",
        (Example("0", {"question": "Is it?"}, ("a", "b"), (1.0, 0.0)),),
        demonstrations=(Example("1", {"question": "Was it?"}, ("a", "b"), (1.0, 0.0)),),
    )
    project.evaluate(tasks=with_own, num_fewshot=(0, 1))
    assert len(project.listening.warnings) == 1


# ------------------------------------------------------------------------------------------ names and texts of wordings


def test_two_wordings_of_one_name_are_refused(project: Project) -> None:
    project.write_wordings("again.yaml", one="Another: {{ question }}")
    groups = {"a": project.folder / "w.yaml", "b": project.folder / "again.yaml"}
    with pytest.raises(UsageError, match=r"again\.yaml:\d+: two different wordings are called 'w/one'.*w\.yaml"):
        project.evaluate(groups)


def test_one_wording_may_stand_in_two_groups(project: Project) -> None:
    run = project.evaluate({"a": project.folder / "w.yaml", "b": project.folder / "w.yaml"})
    assert len(scores(run)) == 4
    assert run.wording_texts() == {("t", "w/one"): "{{ question }}", ("t", "w/two"): "Say: {{ question }}"}


def test_designers_wordings_of_different_tasks_keep_their_own_texts(project: Project) -> None:
    tasks = [
        Task(
            name,
            Kind.BINARY,
            "house",
            (Example("0", {"question": "Is it?"}, ("a", "b"), (1.0, 0.0)),),
            instructions=(Instruction("json", "task_designer", template=f"{name}: {{{{ question }}}}"),),
        )
        for name in ("house/one", "house/two")
    ]
    run = project.evaluate({"designer": "task_designer"}, tasks)
    assert run.wording_texts() == {
        ("house/one", "task_designer/json"): "house/one: {{ question }}",
        ("house/two", "task_designer/json"): "house/two: {{ question }}",
    }


# ------------------------------------------------------------------------------------------------- inputs that change


def test_an_edited_wording_takes_its_own_place(project: Project) -> None:
    before = project.evaluate().outcomes().num_rows
    project.write_wordings("w.yaml", one="{{ question }}", two="Tell: {{ question }}")
    run = project.evaluate()
    assert run.outcomes().num_rows == before
    assert run.wording_texts()["t", "w/two"] == "Tell: {{ question }}"
    assert project.listening.warnings == []


def test_an_edited_wording_leaves_no_old_scores_of_it_on_other_tasks(project: Project) -> None:
    project.write_task("u")
    project.evaluate(tasks="t.yaml,u.yaml")
    project.write_wordings("w.yaml", one="{{ question }}", two="Tell: {{ question }}")
    run = project.evaluate(tasks="t.yaml")
    assert scores(run) == {("t", "mine", "w/one"), ("t", "mine", "w/two"), ("u", "mine", "w/one")}
    (warning,) = project.listening.warnings
    assert "1 cell computed before leave this run: u under w/two" in warning
    assert not run.missing


def test_edited_data_leaves_no_old_scores_beside_new_ones(project: Project) -> None:
    project.write_task("u")
    project.evaluate(tasks="t.yaml,u.yaml")
    # As many rows as before, so that nothing else in a table would give it away.
    project.write_task("t", [*ROWS[:-1], "Will it be?,no!"])
    project.write_wordings("new.yaml", three="New: {{ question }}")
    run = project.evaluate({"mine": project.folder / "new.yaml"})
    assert scores(run) == {("t", "mine", "w/three"), ("u", "mine", "w/one"), ("u", "mine", "w/two")}
    (warning,) = project.listening.warnings
    assert "2 cells computed before leave this run" in warning
    again = project.evaluate()
    assert len(scores(again)) == 5
    assert len(project.listening.warnings) == 1


def test_what_is_unchanged_is_added_to(project: Project) -> None:
    project.evaluate()
    project.write_wordings("new.yaml", three="New: {{ question }}")
    run = project.evaluate({"mine": project.folder / "new.yaml"})
    assert len(scores(run)) == 3
    assert project.listening.warnings == []


def test_run_json_holds_what_repeats_the_run(project: Project) -> None:
    content = project.evaluate().content
    assert content["tasks"]["t"]["num_examples"] == 3
    assert content["instructions"]["w/two"]["template"] == "Say: {{ question }}"
    assert content["instructions"]["w/two"]["answer"] == "{{ choice }}"
    assert content["settings"]["model"]["name"] == "scripted"
    assert {"python", "phraseproof", "pyarrow"} <= content["environment"].keys()
