"""Names of lm-evaluation-harness: where its tasks are looked for, groups, tags and patterns, and what is refused."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from phraseproof.errors import MissingExtraError, TaskError, UsageError
from phraseproof.tasks import load_tasks
from support.harness_folder import loaded, write

pytestmark = pytest.mark.usefixtures("own_cache")


def names(folder: Path, wanted: str) -> list[tuple[str, str]]:
    return [(task.name, task.category) for task in load_tasks([wanted], data_dir=folder)]


def test_groups_tags_and_patterns_are_several_tasks_of_one_category(tmp_path: Path) -> None:
    write(tmp_path, "one", tag="feathered")
    write(tmp_path, "two", tag="feathered")
    write(tmp_path, "other")
    (tmp_path / "all.yaml").write_text("group: everything\ntask: [two, other]\n")
    assert names(tmp_path, "lm_eval/one") == [("lm_eval/one", "lm_eval/one")]
    assert names(tmp_path, "lm_eval/feathered") == [(f"lm_eval/{n}", "lm_eval/feathered") for n in ("one", "two")]
    assert names(tmp_path, "lm_eval/everything") == [(f"lm_eval/{n}", "lm_eval/everything") for n in ("two", "other")]
    assert {name for name, _ in names(tmp_path, "lm_eval/o*")} == {"lm_eval/one", "lm_eval/other"}


def test_a_folder_lm_eval_within_the_data_folder_is_the_one(tmp_path: Path) -> None:
    write(tmp_path / "lm_eval", "birds")
    (tmp_path / "rows.yaml").write_text("no: task\n")
    assert names(tmp_path, "lm_eval/birds") == [("lm_eval/birds", "lm_eval/birds")]


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lm_eval.tasks.__file__", str(tmp_path / "package" / "__init__.py"))  # its index takes long
    monkeypatch.setattr("lm_eval.tasks.manager.__file__", str(tmp_path / "package" / "manager.py"))
    write(tmp_path / "mine")
    with pytest.raises(UsageError, match=r"no task, group or tag 'brids'.*Did you mean 'lm_eval/birds'"):
        load_tasks(["lm_eval/brids"], data_dir=tmp_path / "mine")
    with pytest.raises(UsageError, match="a task of lm-evaluation-harness has a name"):
        load_tasks(["lm_eval"])


def test_a_task_of_the_installed_package_is_found_without_its_index_and_its_data_are_missed() -> None:
    with pytest.raises(TaskError, match=r"cannot load 'arc_easy' \(got .*allenai/ai2_arc.*the hub must be reachable"):
        load_tasks(["lm_eval/arc_easy"])


def test_the_log_of_the_harness_and_its_environment_are_as_before(tmp_path: Path) -> None:
    from lm_eval import utils

    logger = logging.getLogger("lm_eval")
    level, compile_template = logger.level, utils.env.from_string
    loaded(write(tmp_path))
    assert (logger.level, utils.env.from_string) == (level, compile_template)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phraseproof\[lm-eval\]'"):
        load_tasks(["lm_eval/arc_easy"])


@pytest.mark.slow
def test_the_catalogue_names_it_and_does_not_load_it() -> None:
    code = (
        "import sys; from phraseproof.tasks import catalogue; "
        "assert 'lm_eval' in [listing.name for listing in catalogue()]; assert 'lm_eval' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
