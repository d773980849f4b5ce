"""Which metrics of a task are computed, by which scorer or metric, and which are named as not computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.harness_folder import OPTIONS, TEXTS, loaded, write

pytestmark = pytest.mark.usefixtures("own_cache")


def warnings_of(folder: Path, base: Any, **changes: Any) -> list[str]:
    found: list[str] = []
    loaded(write(folder, base=base, **changes), warnings=found)
    return found


def metrics(*names: str) -> list[dict[str, Any]]:
    return [{"metric": name} for name in names]


def test_metrics_of_options_are_scorings(tmp_path: Path) -> None:
    assert warnings_of(tmp_path, OPTIONS) == []
    assert warnings_of(tmp_path, OPTIONS, metric_list=metrics("acc", "acc_norm", "acc_mutual_info", "f1")) == [
        "lm_eval/birds: not computed of the task's metrics: acc_mutual_info, f1",
        (
            "lm_eval/birds: the accuracy under --scoring loglikelihood,loglikelihood_norm:characters is the task's "
            "acc, acc_norm"
        ),
    ]


def test_every_filter_of_texts_has_a_metric(tmp_path: Path) -> None:
    clean, *_ = TEXTS["filter_list"]
    last = {"name": "last", "filter": [{"function": "regex", "regex_pattern": r"(\w+)$"}, {"function": "take_first"}]}
    (found,) = warnings_of(tmp_path, TEXTS, filter_list=[clean, last])
    assert "--metric lm_eval:exact_match/clean,lm_eval:exact_match/last" in found


def test_filters_of_python_code_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def own(texts, documents):\n    return texts\n")
    own = {"name": "own", "filter": [{"function": "custom", "filter_fn": "!function mine.own"}]}
    task = loaded(write(tmp_path, base=TEXTS, filter_list=[*TEXTS["filter_list"], own]))
    assert task.answers.metric == "lm_eval:exact_match/clean"
    assert [each["name"] for each in task.answers.details["filter_list"]] == ["clean"]


def test_metrics_of_all_texts_together_are_our_own(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, base=TEXTS, filter_list=None, metric_list=metrics("bleu", "chrf")))
    assert task.answers.metric == "bleu"


def test_white_space_that_the_harness_sees_and_sampling_are_said(tmp_path: Path) -> None:
    (found,) = warnings_of(tmp_path, TEXTS, filter_list=None)
    assert "white space at the ends of an answer is removed here" in found
    settings = {"until": ["\n"], "do_sample": True, "temperature": 0.5}
    (found,) = warnings_of(tmp_path, TEXTS, generation_kwargs=settings)
    assert "draws its answers at temperature 0.5" in found
