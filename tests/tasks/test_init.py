"""The registry: names, users' files, third parties."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from phraseproof import tasks
from phraseproof.core import Example, Kind, Task
from phraseproof.errors import TaskError, UsageError
from phraseproof.tasks import TaskListing, catalogue, load_tasks


def write_task(folder: Path, name: str = "tickets") -> Path:
    (folder / "rows.csv").write_text("body,team\nhello,bug\nthanks,praise\n")
    path = folder / f"{name.replace('/', '-')}.yaml"
    path.write_text(f"name: {name}\nkind: binary\ndata: rows.csv\nchoices: [bug, praise]\nanswer: team\n")
    return path


def test_the_catalogue_names_every_built_in_task_once() -> None:
    names = [listing.name for listing in catalogue()]
    assert len(names) == len(set(names))
    assert {"mmlu", "mmlu/*", "mmlu/anatomy", "bbl", "bbl/winowhy", "bbl/intent_recognition"} <= set(names)
    assert sum(name.startswith("mmlu/") for name in names) == 58


def test_the_catalogue_has_the_papers_categories() -> None:
    categories = {listing.name: (listing.kind, listing.category) for listing in catalogue()}
    assert categories["bbl/strange_stories"] == (Kind.BINARY, "BBL-BC")
    assert categories["bbl/vitaminc_fact_verification"] == (Kind.MULTI_CLASS, "BBL-MC")
    assert categories["bbl/bbq_lite"] == (Kind.MULTIPLE_CHOICE, "BBL-QA")
    assert categories["mmlu"] == (Kind.MULTIPLE_CHOICE, "MMLU")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("mmul", "mmlu"), ("strategyqa", "bbl/strategyqa"), ("bbk/winowhy", "bbl/winowhy")],
)
def test_an_unknown_name_gets_the_known_ones_and_a_suggestion(name: str, suggestion: str) -> None:
    with pytest.raises(UsageError, match=r"unknown task .* \(expected mmlu, mmlu/\*, bbl") as caught:
        load_tasks([name])
    assert f"Did you mean {suggestion!r}?" in str(caught.value)


def test_a_name_like_no_other_points_at_the_list() -> None:
    with pytest.raises(UsageError, match="`phraseproof tasks list` names them all"):
        load_tasks(["zzzzzz"])


def test_a_users_file_is_a_task_and_need_not_end_in_yaml(tmp_path: Path) -> None:
    path = write_task(tmp_path)
    other = path.rename(tmp_path / "tickets.task")
    (task,) = load_tasks([str(other)])
    assert task.name == "tickets"


def test_order_is_kept_and_the_same_name_twice_is_an_error(tmp_path: Path) -> None:
    path = write_task(tmp_path)
    second = tmp_path / "b.yaml"
    second.write_text(path.read_text().replace("name: tickets", "name: other"))
    assert [task.name for task in load_tasks([str(second), str(path)])] == ["other", "tickets"]
    with pytest.raises(UsageError, match="'tickets' is requested twice"):
        load_tasks([str(path), str(path)])


def test_a_users_task_may_not_take_a_built_in_name(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="'mmlu/mine' belongs to a built-in task"):
        load_tasks([str(write_task(tmp_path, "mmlu/mine"))])


def test_other_packages_add_sources_through_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Example("0", {"question": "?"}, ("a", "b"), (1.0, 0.0))

    def load(name: str, *, data_dir: Path | None, warn: object) -> list[Task]:
        return [Task(name, Kind.BINARY, "House", (example,))]

    listing = TaskListing("house/one", Kind.BINARY, "House", "here", "a test")
    source = SimpleNamespace(load=load, listings=lambda: [listing])
    module = ModuleType("house_tasks")
    monkeypatch.setattr(module, "source", source, raising=False)
    monkeypatch.setitem(sys.modules, "house_tasks", module)
    entry = EntryPoint("house", "house_tasks:source", tasks.ENTRY_POINT_GROUP)
    monkeypatch.setattr(tasks, "entry_points", lambda *, group: [entry] if group == "phraseproof.tasks" else [])
    assert load_tasks(["house/one"])[0].category == "House"
    assert listing in catalogue()


def test_the_registry_is_light() -> None:
    code = (
        "import sys; from phraseproof.tasks import catalogue; catalogue(); "
        "heavy = {'datasets', 'torch', 'pyarrow', 'pydantic', 'yaml', 'numpy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_task_file_may_be_named_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tickets.csv").write_text("q,a\nx,yes\ny,no\n")
    Path("tickets.yaml").write_text("name: mine\nkind: binary\ndata: tickets.csv\nchoices: [yes, no]\nanswer: a\n")
    (task,) = load_tasks(["tickets"])
    assert (task.name, task.examples[0].choices) == ("mine", ("yes", "no"))
