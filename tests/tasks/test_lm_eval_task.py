"""What the harness makes of documents becomes examples; what cannot be expressed is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Kind
from phraseproof.errors import TaskError
from support.harness_folder import OPTIONS, TEXTS, loaded, write

pytestmark = pytest.mark.usefixtures("own_cache")


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(TaskError) as caught:
        loaded(write(folder, **changes))
    return str(caught.value)


def test_options_prompts_and_targets(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, metadata={"version": 2.0}))
    assert (task.kind, task.category) == (Kind.MULTIPLE_CHOICE, "lm_eval/birds")
    first, *_ = task.examples
    assert (first.id, first.choices, first.option_scores) == ("0", ("emu", "swift"), (0.0, 1.0))
    assert first.fields == {
        "question": "Which flies?",
        "first": "emu",
        "second": "swift",
        "answer": 1,
        "label": "swift",
        "lm_eval_prompt": "Which flies?",
        "lm_eval_description": "",
    }
    assert "birds version 2.0" in task.source
    assert f"{tmp_path}/birds.yaml" in task.source


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"doc_to_target": "label"}, (0.0, 1.0)),
        ({"doc_to_target": "{{[0, 1]}}"}, (1.0, 1.0)),
        ({"doc_to_target": 0}, (1.0, 0.0)),
        ({"doc_to_choice": {"x": "crow", "y": "swift"}, "doc_to_target": "label"}, (0.0, 1.0)),
    ],
)
def test_targets_as_texts_indices_and_lists(
    changes: dict[str, Any], expected: tuple[float, ...], tmp_path: Path
) -> None:
    assert loaded(write(tmp_path, **changes)).examples[0].option_scores == expected


def test_a_target_that_is_no_option_counts_as_wrong_with_a_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    task = loaded(write(tmp_path, doc_to_choice=["swift", "lark"], doc_to_target="label"), warnings=warnings)
    assert [each.option_scores for each in task.examples] == [(1.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 1.0)]
    assert any("2 examples have no right option" in line for line in warnings)


def test_texts_have_references_and_the_tasks_own_settings(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, base=TEXTS))
    assert (task.kind, task.examples[0].references) == (Kind.FREE_TEXT, ("swift",))
    assert (task.answers.metric, task.answers.stop, task.answers.max_new_tokens) == (
        "lm_eval:exact_match",
        ("\n",),
        7,
    )
    several = loaded(write(tmp_path, base=TEXTS, doc_to_target="{{[label, question]}}"))
    assert several.examples[0].references == ("swift", "Which flies?")


def test_fields_that_templates_define_get_another_name(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("choices,letter\nWho?,a\n", encoding="utf-8")
    task = loaded(
        write(tmp_path, doc_to_text="{{choices}}", doc_to_choice=["a", "b"], doc_to_target="letter"),
    )
    assert {name: task.examples[0].fields[name] for name in ("doc_choices", "doc_letter")} == {
        "doc_choices": "Who?",
        "doc_letter": "a",
    }


def test_values_that_json_has_no_form_for_become_texts(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import datetime\n"
        "def more(documents):\n"
        "    return documents.map(lambda _: {'day': datetime.date(2026, 1, 2), 'share': float('nan'), 'none': None})\n"
    )
    task = loaded(write(tmp_path, process_docs="!function mine.more"))
    fields = task.examples[0].fields
    assert (fields["day"], fields["share"], fields["none"]) == ("2026-01-02", "nan", None)


def test_functions_of_the_folder_are_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def text(document):\n    return document['question'].upper()\n")
    assert loaded(write(tmp_path, doc_to_text="!function mine.text")).examples[0].fields["lm_eval_prompt"] == (
        "WHICH FLIES?"
    )


def test_options_in_the_prompt_have_a_prompt_each(tmp_path: Path) -> None:
    task = loaded(write(tmp_path, doc_to_text="answer", doc_to_target="question", gen_prefix="it is that"))
    first = task.examples[0]
    assert (first.choices, first.option_scores) == (("emu", "swift"), (0.0, 1.0))
    # Without white space, as the harness writes them.
    assert first.fields["lm_eval_prompt"] == ["emuit is that", "swiftit is that"]
    assert first.fields["lm_eval_continuation"] == "Which flies?"
    assert (task.instructions[0].template, task.instructions[0].continuation) == (
        "{{ lm_eval_prompt[index] }}",
        "{{ lm_eval_continuation }}",
    )
    error = refusal(tmp_path, doc_to_text="{{answer if first == 'emu' else label}}", doc_to_target="question")
    assert "doc_to_text names no option" in error
    assert "document 1" in error


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output_type": "loglikelihood", "metric_list": None}, "its output type is loglikelihood, which compares"),
        ({"output_type": "loglikelihood_rolling", "metric_list": None}, "its output type is loglikelihood_rolling"),
        ({"process_results": "!function mine.results"}, "a Python function scores its answers (process_results)"),
        ({"repeats": 3}, "it draws 3 answers to each prompt (repeats)"),
        (
            {**TEXTS, "doc_to_text": "answer", "doc_to_choice": "{{[first, second]}}", "doc_to_target": "question"},
            "it generates a text after each of several prompts",
        ),
        ({"doc_to_image": "question"}, "it shows images or sounds"),
        ({"metric_list": [{"metric": "brier_score"}]}, "none of its metrics can be computed (brier_score)"),
    ],
)
def test_what_cannot_be_expressed_is_refused_by_name(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def results(document, results):\n    return {'acc': 1}\n")
    error = refusal(tmp_path, **{**OPTIONS, **changes})
    assert error.startswith("lm_eval/birds: the task cannot be expressed here: ")
    assert reason in error
    assert "\n" not in error


def test_errors_of_templates_and_functions_are_one_line_with_the_document(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def text(document):\n    assert document['question'] != 'Which swims?', 'no fish'\n    return 'x'\n"
    )
    error = refusal(tmp_path, doc_to_text="!function mine.text")
    assert error == (
        "lm_eval/birds, document 1: lm-evaluation-harness cannot render the document (got AssertionError: no fish)"
    )
    assert "cannot load 'birds' (got UndefinedError: 'nothing' is undefined)" in refusal(
        tmp_path, doc_to_text="{{nothing}}"
    )
    assert "doc_to_choice does not give options" in refusal(tmp_path, doc_to_choice="{{[first]}}", doc_to_target="0")


def test_the_tasks_own_number_of_demonstrations_is_said(tmp_path: Path) -> None:
    warnings: list[str] = []
    loaded(write(tmp_path, num_fewshot=2), warnings=warnings)
    assert any("--num-fewshot 2 --fewshot-seed 1234" in line for line in warnings)
