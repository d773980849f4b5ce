from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.scoring.texts.rubric import read_rubric

GRADE = """name: mine
scale: [0, 10]
criteria: Ten is best.
prompt: "{{ criteria }} {{ reference }} / {{ text }}: {{ low }} to {{ high }}?"
grade: 'Grade: (-?[0-9.]+)'
"""
PAIRS = """name: mine
form: pairs
prompt: "1: {{ first }} 2: {{ second }}"
grade: 'Better: (\\w+)'
"""
OUTCOME = Outcome("1", 0.0, text="A {{ text }}.", reference="B.", other_references=("C.",))


def write(folder: Path, text: str) -> str:
    (folder / "rubric.yaml").write_text(text)
    return str(folder / "rubric.yaml")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("Grade: 3. No: Grade: 7", 0.7),  # the last one counts
        ("Grade: 0", 0.0),
        ("Grade: 11", None),  # not on the scale
        ("Grade: -1", None),
        ("Grade: 1.2.3", None),
        ("seven", None),
        ("", None),
    ],
)
def test_a_grade_is_its_place_on_the_scale(tmp_path: Path, answer: str, value: float | None) -> None:
    rubric = read_rubric(write(tmp_path, GRADE))
    assert rubric.prompts(OUTCOME) == ["Ten is best. B. / A {{ text }}.: 0 to 10?"]
    assert rubric.results([answer]) == (None if value is None else (value,))


@pytest.mark.parametrize(
    ("answers", "results"),
    [
        (("Better: 1", "Better: 2"), (1.0, 1.0)),
        (("Better: 2", "Better: 1"), (0.0, 0.0)),
        (("Better: 1", "Better: 1"), (1.0, 0.0)),  # whatever is first wins: no preference
        (("Better: neither", "Better: 2"), (0.5, 1.0)),
        (("Better: 1", "I cannot say"), None),
    ],
)
def test_pairs_are_judged_in_both_orders(
    tmp_path: Path, answers: tuple[str, str], results: tuple[float, float] | None
) -> None:
    rubric = read_rubric(write(tmp_path, PAIRS))
    assert rubric.prompts(OUTCOME) == ["1: A {{ text }}. 2: B.", "1: B. 2: A {{ text }}."]
    assert rubric.prompts(OUTCOME, "D.") == ["1: A {{ text }}. 2: D.", "1: D. 2: A {{ text }}."]
    assert rubric.results(answers) == results


def test_a_run_to_compare_with_is_no_part_of_the_content(tmp_path: Path) -> None:
    """Hashes of rubrics that were used before the field existed: their cells must still be found."""
    assert read_rubric("summary").content == "0b9998cbfdc47b3243afc284b021f731"
    alone = read_rubric(write(tmp_path, PAIRS))
    assert alone.content == "0a48da09151d45d2ce05a4aeba53412f"
    against = read_rubric(write(tmp_path, f"{PAIRS}against: {{run: runs/other, instruction: mine/short}}\n"))
    assert against.content == alone.content
    assert against.against is not None
    assert (against.against.run, against.against.instruction) == ("runs/other", "mine/short")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("scale: [0, 10]", "scale: [5, 5]", r"rubric.yaml:2, scale: the lowest grade is not below the highest"),
        ("/ {{ text }}", "/ text", r"rubric.yaml:4, prompt: the prompt does not show \{\{ text \}\}"),
        ("(-?[0-9.]+)", "N", r"rubric.yaml:5, grade: the regular expression has no group"),
        ("(-?[0-9.]+)", "(", r"rubric.yaml:5, grade: no regular expression"),
        ("{{ low }}", "{{ low", r"rubric.yaml:4, prompt: no template"),
        (
            "{{ low }}",
            "{% include 'x' %}",
            r"rubric.yaml:4, prompt: no template: .*include %\} cannot be",
        ),
        (
            "scale: [0, 10]",
            "against: {run: x}",
            r"rubric.yaml:2, against: only texts of pairs.*form: pairs",
        ),
        ("criteria:", "critera:", r"rubric.yaml:3, critera: unknown field 'critera'.*Did you mean 'criteria'"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(FileError, match=problem):
        read_rubric(write(tmp_path, GRADE.replace(old, new)))


def test_a_prompt_that_was_not_logged_is_missed_in_one_line(tmp_path: Path) -> None:
    rubric = read_rubric(write(tmp_path, GRADE.replace("{{ criteria }}", "{{ prompt }}")))
    with pytest.raises(
        UsageError, match=r"the rubric 'mine' fails: 'prompt' is undefined\. Evaluate with --log-samples"
    ):
        rubric.prompts(OUTCOME)


@pytest.mark.parametrize(
    ("inserted", "problem"),
    [
        (
            "{% for a in range(900) %}{% for b in range(900) %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
            "steps of work",
        ),
        ("{{ text * 10000000 }}", "build more than 1000000 characters"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ text.nothing }}", "nothing"),
    ],
)
def test_a_prompt_has_the_limits_of_other_templates(tmp_path: Path, inserted: str, problem: str) -> None:
    rubric = read_rubric(write(tmp_path, GRADE.replace("{{ criteria }}", inserted)))
    with pytest.raises(UsageError, match=f"^the prompt of the rubric 'mine' fails: .*{problem}"):
        rubric.prompts(OUTCOME)


def test_a_prompt_may_loop_over_references(tmp_path: Path) -> None:
    loop = "{% for each in references %}{{ loop.index }}. {{ each }} {% endfor %}"
    rubric = read_rubric(write(tmp_path, GRADE.replace("{{ criteria }}", loop + "{{ references | join('; ') }}")))
    assert rubric.prompts(OUTCOME) == ["1. B. 2. C. B.; C. B. / A {{ text }}.: 0 to 10?"]


def test_the_shipped_rubric_is_found_by_name() -> None:
    rubric = read_rubric("summary")
    (prompt,) = rubric.prompts(OUTCOME)
    assert "Reference:\nB.\n" in prompt
    assert "Summary to grade:\nA {{ text }}.\n" in prompt
    assert rubric.results(["It lacks a point.\n**Grade: 4**"]) == (0.75,)
    with pytest.raises(UsageError, match=r"no rubric 'sumary' .*a shipped one: summary"):
        read_rubric("sumary")
