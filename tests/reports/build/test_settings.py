"""What runs were made with, and where two differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phraseproof.reports.build.settings import differing_settings, setting_line
from phraseproof.store.queries import Run, load_run
from support.command_line import exit_code
from support.facet_runs import drawn_run
from support.report_runs import write_run
from support.run_files import edit_run_file


def changed(path: Path, **sections: Mapping[str, object]) -> Run:
    """A run folder whose `run.json` has other values in some sections."""

    def change(content: dict[str, Any]) -> None:
        for name, values in sections.items():
            content[name] = {**content.get(name, {}), **values}

    edit_run_file(write_run(path), change)
    return load_run(path)


def test_the_line_names_format_scoring_and_metric(tmp_path: Path) -> None:
    assert setting_line(changed(tmp_path)) == "prompt format plain, scoring loglikelihood, metric accuracy"


def test_a_served_model_says_that_it_has_no_chat_template(tmp_path: Path) -> None:
    model = {"name": "openai/m", "settings": {"base_url": "http://localhost/v1", "endpoint": "completions"}}
    found = setting_line(changed(tmp_path, settings={"model": model}))
    assert found.startswith("prompt format plain (served as completions, without a chat template), ")


def test_an_imported_run_has_none(tmp_path: Path) -> None:
    published = tmp_path / "published.csv"
    head = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?"
    published.write_text(f"{head}\nm,d,c,QA,1,0,0.5,Accuracy,True\n", encoding="utf-8")
    assert exit_code("import-results", published, "--out", tmp_path / "run") == 0
    assert not setting_line(load_run(tmp_path / "run"))


def test_equal_runs_differ_in_nothing(tmp_path: Path) -> None:
    first, second = (changed(tmp_path / name) for name in ("a", "b"))
    assert differing_settings(first, second) == ()


def test_every_setting_and_version_that_differs_is_listed(tmp_path: Path) -> None:
    first = changed(tmp_path / "a", environment={"torch": "2.1", "transformers": "4.50", "command": "x"})
    other = {"name": "org/model", "revision": "r2", "architecture": "A", "dtype": "bfloat16", "adapter": "abc"}
    second = changed(
        tmp_path / "b",
        settings={"model": other, "prompt_format": "chat", "seed": 4, "log_samples": True, "system": "Be brief."},
        environment={"torch": "2.2", "transformers": "4.50", "command": "y"},
    )
    assert [each.line for each in differing_settings(first, second)] == [
        "model.revision: r1 before, r2 after",
        "model.dtype: none before, bfloat16 after",
        "prompt_format: plain before, chat after",
        "seed: 0 before, 4 after",
        "version of torch: 2.1 before, 2.2 after",
        "model.adapter: none before, abc after",
        "system: none before, Be brief. after",
    ]


def test_data_that_differs_is_listed_of_tasks_that_both_runs_have(tmp_path: Path) -> None:
    first = changed(tmp_path / "a", tasks={"t": {"data": "1"}, "same": {"data": "3"}, "one": {"data": "4"}})
    second = changed(tmp_path / "b", tasks={"t": {"data": "2"}, "same": {"data": "3"}, "two": {"data": "5"}})
    assert [each.line for each in differing_settings(first, second)] == ["data of t: 1 before, 2 after"]


def test_the_line_says_what_scores_are_means_over(tmp_path: Path) -> None:
    several, one = drawn_run(tmp_path / "several"), drawn_run(tmp_path / "one", shots=(1,), draws=2, orders=1)
    assert setting_line(several).endswith(
        ", scores are means over 2 orders of options and 3 draws of demonstrations where there are any"
    )
    assert setting_line(one).endswith(", scores are means over 2 draws of demonstrations")
    assert [each.line for each in differing_settings(several, one)] == [
        "orders of options: 2 before, 1 after",
        "draws of demonstrations: 3 before, 2 after",
    ]
