"""Names of lm-evaluation-harness: where its tasks are looked for, groups, tags and patterns, and what is refused."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, TaskError, UsageError
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.scoring.registry import metric
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
    with pytest.raises(UsageError, match=r"--data-dir: no such folder \(got .*myne"):
        load_tasks(["lm_eval/arc_easy"], data_dir=tmp_path / "myne")


def test_a_file_that_the_harness_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "birds.yaml").write_text("task: [\n")
    with pytest.raises(TaskError, match=r"birds\.yaml: .*cannot read the file \(got ParserError"):
        load_tasks(["lm_eval/birds"], data_dir=tmp_path)
    (tmp_path / "birds.yaml").write_text("task: birds\ninclude: birds.yaml\n")
    with pytest.raises(TaskError, match="Include cycle"):
        load_tasks(["lm_eval/birds"], data_dir=tmp_path)
    write(tmp_path, "birds").joinpath("birds.yaml").rename(tmp_path / "birds.yml")
    with pytest.raises(TaskError, match=r"birds\.yml: .*expected a file whose name ends in \.yaml"):
        load_tasks(["lm_eval/birds"], data_dir=tmp_path)


def test_a_task_of_the_installed_package_is_found_without_its_index_and_its_data_are_missed() -> None:
    with pytest.raises(TaskError, match=r"cannot load 'arc_easy' \(got .*allenai/ai2_arc.*the hub must be reachable"):
        load_tasks(["lm_eval/arc_easy"])


def published(folder: Path, name: str, config: str | None, splits: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write a data set of the hub as a folder of that name in the current folder, which `datasets` takes instead."""
    repository = folder / name
    repository.mkdir(parents=True)
    card = ["---", "configs:", f"- config_name: {config or 'default'}", "  data_files:"]
    for split, rows in splits.items():
        (repository / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        card += [f"  - split: {split}", f"    path: {split}.jsonl"]
    (repository / "README.md").write_text("\n".join([*card, "---", ""]), encoding="utf-8")


ARC = {"question": "Which flies?", "choices": {"text": ["emu", "swift"], "label": ["A", "B"]}, "answerKey": "B"}
GSM8K = {"question": "What is 2 and 3?", "answer": "2 + 3 = 5\n#### 5"}
HELLASWAG = {
    "activity_label": "Baking",
    "ctx_a": "A man opens an oven.",
    "ctx_b": "he",
    "endings": ["bakes.", "flies [title] home [step] now."],
    "label": "0",
}
WINOGRANDE = {"sentence": "The cup fell on the _ .", "option1": "floor", "option2": "sky", "answer": "1"}


def test_tasks_of_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    published(tmp_path, "allenai/ai2_arc", "ARC-Easy", {"train": [ARC], "validation": [ARC], "test": [ARC]})
    published(tmp_path, "Rowan/hellaswag", None, {"train": [HELLASWAG], "validation": [HELLASWAG]})
    published(tmp_path, "openai/gsm8k", "main", {"train": [GSM8K], "test": [GSM8K]})
    published(tmp_path, "allenai/winogrande", "winogrande_xl", {"train": [WINOGRANDE], "validation": [WINOGRANDE]})
    arc, hellaswag, gsm8k = load_tasks(["lm_eval/arc_easy", "lm_eval/hellaswag", "lm_eval/gsm8k"])
    assert arc.instructions[0].template == "Question: {{question}}\nAnswer:"
    assert (arc.examples[0].choices, arc.examples[0].target) == (("emu", "swift"), 1)
    assert hellaswag.examples[0].fields["lm_eval_prompt"] == "Baking: A man opens an oven. He"
    assert hellaswag.examples[0].choices == ("bakes.", "flies. home now.")
    assert gsm8k.answers.metric == "lm_eval:exact_match/strict-match"
    assert (gsm8k.answers.stop, gsm8k.answers.max_new_tokens) == (("Question:", "</s>", "<|im_end|>"), 256)
    judge = metric("lm_eval:exact_match/strict-match").of_task(gsm8k)
    reference = gsm8k.examples[0].reference
    texts = ("It is 5.\n#### 5", "It is 5.", "#### 6")
    scores = [each.score for each in judge.judge([Outcome("0", 0.0, text=text, reference=reference) for text in texts])]
    assert scores == [1.0, 0.0, 0.0]
    (winogrande,) = load_tasks(["lm_eval/winogrande"])
    wording, first = compile_instruction(winogrande.instructions[0]), winogrande.examples[0]
    prompt = build_prompt(wording, first, demonstrations=[first], prompt_format="plain")
    begins = [str(WINOGRANDE["sentence"]).partition("_")[0] + str(WINOGRANDE[name]) for name in ("option1", "option2")]
    ends = str(WINOGRANDE["sentence"]).partition("_")[2].strip()
    right = begins[int(str(WINOGRANDE["answer"])) - 1]
    assert prompt.options == tuple(begins)
    assert [(each.text, each.options) for each in prompt.alternatives] == [
        (f"{right} {ends}\n\n{begin}", (ends,)) for begin in begins
    ]


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
