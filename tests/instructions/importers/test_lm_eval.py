"""lm-evaluation-harness task files: what is imported is compared with the harness itself, where a task can be built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from phraseproof.core import Example
from phraseproof.errors import FileError
from phraseproof.instructions.importers import ParseResult, find
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction

BASE = """\
output_type: multiple_choice
doc_to_text: "{{question.strip()}}\\nA. {{choices[0]}}\\nB. {{choices[1]}}\\nAnswer:"
doc_to_choice: ["A", "B"]
doc_to_target: answer
process_docs: !function utils.process
"""
TASK = """\
task: birds
include: _base_yaml
description: "The following are questions about birds.\\n\\n"
"""
EXAMPLE = Example("e", {"question": " Which flies? "}, ("emu", "swift"), (0.0, 1.0))


def read(folder: Path, text: str) -> ParseResult:
    (folder / "birds.yaml").write_text(text, encoding="utf-8")
    return find("lm-eval", folder / "birds.yaml")


def prompt(result: ParseResult) -> tuple[str, tuple[str, ...], str]:
    assert not result.refused, result.refused
    made = build_prompt(compile_instruction(next(result.wordings)), EXAMPLE, demonstrations=(), prompt_format="plain")
    return made.text, made.options, made.target_delimiter


def test_includes_are_read_and_the_description_is_the_ask(tmp_path: Path) -> None:
    (tmp_path / "_base_yaml").write_text(BASE, encoding="utf-8")
    result = read(tmp_path, TASK)
    text, options, delimiter = prompt(result)
    assert text == "The following are questions about birds.\n\nWhich flies?\nA. emu\nB. swift\nAnswer:"
    assert (options, delimiter) == (("A", "B"), " ")
    wording = next(result.wordings)
    assert wording.ask == "The following are questions about birds."
    assert (wording.name, wording.serves) == ("lm_eval/birds", ("birds", "lm_eval/birds"))


@pytest.mark.slow
def test_the_harness_writes_the_same_context(tmp_path: Path) -> None:
    from lm_eval.api.task import ConfigurableTask, TaskConfig

    settings: dict[str, Any] = {
        "task": "birds",
        "dataset_path": "json",
        "output_type": "multiple_choice",
        "description": "Questions about birds:\n\n",
        "doc_to_text": "{{question.strip()}} {% if hint %}({{hint}}){% endif %}\nAnswer:\n",
        "doc_to_choice": "{{choices.text}}",
        "doc_to_target": "{{choices.label.index(answerKey)}}",
    }
    document = {
        "question": " Which flies? ",
        "hint": "fast",
        "choices": {"text": ["emu", "swift"], "label": ["A", "B"]},
    }
    task: Any = object.__new__(ConfigurableTask)  # without its data: only the rendering is asked
    task._config = TaskConfig(**settings)
    task.features = list(document)
    task.prompt = None
    context = task.config.description + task.doc_to_text(document)
    result = read(tmp_path, yaml.safe_dump(settings))
    example = Example("e", {"question": " Which flies? ", "hint": "fast"}, ("emu", "swift"), (0.0, 1.0))
    wording = next(result.wordings)
    made = build_prompt(compile_instruction(wording), example, demonstrations=(), prompt_format="plain")
    assert made.text == context
    assert list(made.options) == task.doc_to_choice(document)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("doc_to_text: question\ndoc_to_choice: '{{choices.text}}'", ("emu", "swift")),
        ("doc_to_text: '{{question}}'\ndoc_to_choice: '{{choices.label}}'", ("A", "B")),
        ("doc_to_text: '{{question}}'\ndoc_to_choice: '{{[\"no\", \"yes\"]}}'", ("no", "yes")),
        ("doc_to_text: '{{question}}'\ndoc_to_choice: {a: no way, b: surely}", ("no way", "surely")),
        ("doc_to_text: '{{question}}'\ndoc_to_choice: '{{[one, two]}}'", ("emu", "swift")),
    ],
)
def test_options_in_all_their_forms(tmp_path: Path, text: str, options: tuple[str, ...]) -> None:
    assert prompt(read(tmp_path, f"task: birds\n{text}\n"))[1] == options


def test_free_text_and_the_delimiter(tmp_path: Path) -> None:
    result = read(
        tmp_path, "task: t\noutput_type: generate_until\ndoc_to_text: 'Q: {{q}}\\nA:'\ntarget_delimiter: ''\n"
    )
    assert next(result.wordings).target_delimiter == ""
    assert next(result.wordings).fewshot_delimiter is None
    result = read(
        tmp_path, 'task: t\ndoc_to_text: "Q: {{q}}\\nA:"\noutput_type: generate_until\nfewshot_delimiter: "##"'
    )
    assert next(result.wordings).fewshot_delimiter == "##"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("doc_to_text: !function utils.f", "a Python function decides it"),
        ("doc_to_text: '{{q}}'\ndoc_to_choice: !function utils.f", "a Python function decides it"),
        ("doc_to_text: ''", "it has no prompt: its options are whole texts"),
        ("output_type: loglikelihood_rolling\ndoc_to_text: x", "it scores whole texts, so there is nothing to ask"),
        ("doc_to_target: x", "it has no doc_to_text"),
        ("doc_to_text: '{{q}}'\ngen_prefix: 'Answer:'", "it begins the answer itself (gen_prefix)"),
        ("doc_to_text: '{{q}}'\ndoc_to_choice: '{{a | map(attribute=\"b\") | list}}'", "its options are computed"),
        ("doc_to_text: '{{q'", "not a valid template"),
        ("doc_to_text: '{{ q | regex_replace(1) }}'", "it uses a forbidden feature"),
    ],
)
def test_what_is_not_declared_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    result = read(tmp_path, f"task: birds\n{text}\n")
    assert not list(result.wordings)
    assert [refused.reason for refused in result.refused] == [reason]


def test_files_that_include_each_other_in_a_circle_are_one_error(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("include: birds.yaml\n", encoding="utf-8")
    with pytest.raises(FileError, match="include each other in a circle"):
        read(tmp_path, "task: birds\ninclude: other.yaml\n")


def test_a_long_chain_of_includes_is_one_error(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}_yaml").write_text(f"include: {number + 1}_yaml\n", encoding="utf-8")
    with pytest.raises(FileError, match="more than 20 files"):
        read(tmp_path, "task: birds\ninclude: 0_yaml\n")


def test_one_bad_file_of_a_folder_is_listed_and_the_others_imported(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("task: [", encoding="utf-8")
    (tmp_path / "group.yaml").write_text("group: all\ntask: [one]\n", encoding="utf-8")
    (tmp_path / "one.yaml").write_text("task: one\ndoc_to_text: '{{q}}'\n", encoding="utf-8")
    result = find("lm-eval", tmp_path)
    assert [each.id for each in result.wordings] == ["one"]
    assert [refused.name for refused in result.refused] == ["bad.yaml"]


def test_tasks_of_the_installed_harness(tmp_path: Path) -> None:
    import lm_eval

    folder = Path(lm_eval.__file__).parent / "tasks"
    result = find("lm-eval", folder / "arc")
    by_id = {each.id: each for each in result.wordings}
    made = build_prompt(
        compile_instruction(by_id["arc_easy"]),
        Example("e", {"question": "Which flies?"}, ("emu", "swift"), (0.0, 1.0)),
        demonstrations=(),
        prompt_format="plain",
    )
    assert (made.text, made.options) == ("Question: Which flies?\nAnswer:", ("emu", "swift"))
