"""FLAN's patterns: what they render is compared with `str.format`, and the Python file is never run."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from phraseproof.core import Example
from phraseproof.errors import FileError
from phraseproof.instructions.importers import find
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction

CHOICES = ("it is", "it is not", "perhaps")
OPTIONS = "OPTIONS:\n- it is\n- it is not\n- perhaps"
FILE = '''
"""Templates."""
raise SystemExit("this file is read, not run")
PATTERNS = {
    "weather": [
        ("{text}\\n\\nWill it rain?\\n\\n{options_}", "{answer}"),
        ("Say more about {answer}.", "{text}"),
        ("Is it wet? {text}", "{cot} The answer is {answer}"),
        ("Tell me. {text}", "Answer: {answer}"),
        ("Set {{braces}} and {text} {options_}", "{answer}"),
    ],
    "story": [("Sum up:\\n{tale}", "{gist}"), ("{tale}\\nIn brief?", "{gist}"), ("Write it: {gist}", "{tale}")],
}
PATTERNS["storm"] = PATTERNS["weather"]
OTHER = open("/etc/passwd").read()
'''


def made_by_hand(pattern: str) -> dict[str, str]:
    """A value for every field of a pattern."""
    names = {name for _, name, _, _ in Formatter().parse(pattern) if name}
    return {name: f"some {name}" for name in names}


def test_every_shared_data_set_imports_and_renders_as_its_pattern_says(shared_data: Path) -> None:
    path = shared_data / "flan_2021_patterns.json"
    published: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    result = find("flan", path)
    by_id = {each.id: each for each in result.wordings}
    assert {each.serves[0] for each in by_id.values()} == published.keys()
    assert len(published) == 56
    assert len(by_id) + len(result.refused) + result.repeats == sum(map(len, published.values())) == 560
    assert len(by_id) >= 460
    for name, wording in by_id.items():
        dataset, _, number = name.rpartition("/")
        pattern, target = published[dataset][int(number) - 1]
        fields = made_by_hand(pattern)
        expected = pattern.format(**fields | {"options_": OPTIONS, "options_str": OPTIONS})
        own = {field: value for field, value in fields.items() if not field.startswith("options_")}
        example = Example("made", own, CHOICES, (1.0, 0.0, 0.0))
        made = build_prompt(compile_instruction(wording), example, demonstrations=(), prompt_format="plain")
        assert made.text == expected
        assert "{answer}" not in pattern
        assert made.options == CHOICES
        assert target.startswith("{")


def test_a_python_file_is_read_as_a_literal(tmp_path: Path) -> None:
    path = tmp_path / "flan" / "templates.py"
    path.parent.mkdir()
    path.write_text(FILE, encoding="utf-8")
    result = find("flan", tmp_path)
    assert [each.id for each in result.wordings] == [
        *("weather/1", "weather/4", "weather/5", "story/1", "story/2", "storm/1", "storm/4", "storm/5"),
    ]
    by_id = {each.id: each for each in result.wordings}
    example = Example("e", {"text": "Clouds {x}."}, ("yes", "no"), (1.0, 0.0))
    braces = compile_instruction(by_id["weather/5"])
    assert braces.render_template(example) == "Set {braces} and Clouds {x}. OPTIONS:\n- yes\n- no"
    assert compile_instruction(by_id["weather/4"]).render_answers(example) == ("Answer: yes", "Answer: no")
    assert (by_id["story/1"].template, by_id["story/2"].ask) == ("Sum up:\n{{ tale }}", "In brief?")
    reasons = {refused.name: refused.reason for refused in result.refused}
    assert reasons["weather/2"] == "it asks for something other than the answer"
    assert reasons["weather/3"] == "it asks for a chain of thought"
    assert reasons["story/3"] == "it asks for something other than the answer"
    assert by_id["story/1"].source == "FLAN 2021, templates.py, story, number 1"


def test_a_later_edition_has_ids_of_its_own_and_repeats_nothing(tmp_path: Path) -> None:
    for name, text in (("flan/templates.py", FILE), ("flan/v2/templates.py", FILE.replace("Sum up:", "Sum this up:"))):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = find("flan", tmp_path)
    assert [each.id for each in result.wordings if each.id.startswith("story/")] == ["story/1", "story/2", "story/v2-1"]
    assert result.repeats == 7
    assert {stem for _, stem in result.files} >= {"story", "v2-story"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PATTERNS = make()", ":1: PATTERNS is not a literal"),
        ("PATTERNS = [1]", "PATTERNS is not a mapping"),
        ("x = 1", "no patterns in this file"),
        ("PATTERNS = {'a': [('one',)]}", "the patterns of 'a' are not pairs of texts"),
        ("PATTERNS = {", ":1: not valid Python"),
        ("PATTERNS = " + "[" * 3000 + "]" * 3000, "not valid Python"),
    ],
)
def test_a_file_that_says_nothing_is_one_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "templates.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        find("flan", path)
    assert said in str(caught.value)


def test_a_folder_without_templates_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no FLAN templates"):
        find("flan", tmp_path)
