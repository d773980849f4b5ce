"""A folder of YAML files of lm-evaluation-harness with a CSV file, as a user keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from phraseproof.core import Task
from phraseproof.tasks import load_tasks

ROWS = """\
question,first,second,answer,label
Which flies?,emu,swift,1,swift
Which swims?,carp,crow,0,carp
Which barks?,dog,cat,0,dog
Which sings?,stone,lark,1,lark
"""

OPTIONS: Mapping[str, Any] = {
    "dataset_path": "csv",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}",
    "doc_to_choice": "{{[first, second]}}",
    "doc_to_target": "{{answer}}",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
}

TEXTS: Mapping[str, Any] = {
    "dataset_path": "csv",
    "test_split": "test",
    "output_type": "generate_until",
    "doc_to_text": "{{question}}\nAnswer:",
    "doc_to_target": "label",
    "generation_kwargs": {"until": ["\n", ""], "do_sample": False, "max_gen_toks": 7},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True}],
    "filter_list": [{"name": "clean", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}],
}


def write(folder: Path, name: str = "birds", base: Mapping[str, Any] = OPTIONS, **changes: object) -> Path:
    """Write a task file and its data; a change of `None` leaves a setting out."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "rows.csv"
    if not data.exists():
        data.write_text(ROWS, encoding="utf-8")
    settings = {"task": name, "dataset_kwargs": {"data_files": {"test": str(data)}}, **base, **changes}
    text = yaml.safe_dump({key: value for key, value in settings.items() if value is not None}, sort_keys=False)
    # A setting `!function NAME` is a function, not a text.
    (folder / f"{name}.yaml").write_text(re.sub(r"'(!function [\w.]+)'", r"\1", text), encoding="utf-8")
    return folder


def loaded(folder: Path, name: str = "birds", warnings: list[str] | None = None) -> Task:
    """The one task of that name."""
    (task,) = load_tasks([f"lm_eval/{name}"], data_dir=folder, warn=([] if warnings is None else warnings).append)
    return task
