"""The prompt of a task as a wording: a template where it renders equally, else what the harness rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Relation
from phraseproof.instructions.template import check_against, compile_instruction
from support.harness_folder import loaded, write

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize(
    ("changes", "ask", "separator", "layout"),
    [
        ({}, None, "", "{{question}}"),
        ({"doc_to_text": "question"}, None, "", "{{ question }}"),
        ({"description": "Name {one}.\n\n"}, 'Name {{ "{" }}one}.', "\n\n", "{{question}}"),
        ({"description": "On {{label}}: "}, "{{ lm_eval_description }}", "", "{{question}}"),
        ({"doc_to_text": "{{question | regex_replace('W', 'w')}}"}, None, "", "{{ lm_eval_prompt }}"),
        ({"gen_prefix": "It is"}, None, "", "{{ lm_eval_prompt }}"),
    ],
)
def test_the_description_is_the_ask_and_the_prompt_the_layout(
    changes: dict[str, Any], ask: str | None, separator: str, layout: str, tmp_path: Path
) -> None:
    task = loaded(write(tmp_path, **changes))
    (wording,) = task.instructions
    assert (wording.name, wording.relation, wording.serves) == (
        "task_designer/lm_eval",
        Relation.TASK_DESIGNER,
        ("lm_eval/birds",),
    )
    assert (wording.ask, wording.separator, wording.layout or wording.template) == (ask, separator, layout)
    check_against(wording, task)
    compiled = compile_instruction(wording)
    for example in task.examples:
        rendered = compiled.render_template(example) if ask is None else compiled.render_layout(example)
        assert rendered == example.fields["lm_eval_prompt"]
        if ask is not None:
            assert compiled.render_ask(example) + separator == example.fields["lm_eval_description"]


def test_names_that_templates_define_are_renamed_in_code_only(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("choice,letter\nWho?,a\nWhat?,b\n", encoding="utf-8")
    task = loaded(write(tmp_path, doc_to_text="A choice: {{choice}}", doc_to_choice=["a", "b"], doc_to_target="letter"))
    assert task.instructions[0].template == "A choice: {{doc_choice}}"


def test_a_delimiter_that_is_not_the_default_is_the_wordings(tmp_path: Path) -> None:
    assert loaded(write(tmp_path)).instructions[0].target_delimiter is None
    assert loaded(write(tmp_path, target_delimiter=" -> ")).instructions[0].target_delimiter == " -> "
