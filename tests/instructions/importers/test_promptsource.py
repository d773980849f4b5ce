"""Promptsource templates: what they render is compared with plain Jinja and the meaning promptsource gives to `|||`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from phraseproof.core import Example, Instruction
from phraseproof.instructions.importers import ImportRequest, ParseResult, find
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction

# One example of every data set in ../shared/data/promptsource, in the hub's columns; and its choices, in label order.
HAND_MADE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ag_news": ({"text": "The bank cut its rates.", "label": 2}, ("World", "Sports", "Business", "Sci/Tech")),
    "amazon_polarity": ({"title": "A fine kettle", "content": "Boils in a minute.", "label": 1}, ("neg", "pos")),
    "cnn_dailymail/3.0.0": ({"article": "A ferry ran aground.", "highlights": "Ferry runs aground."}, ()),
    "commonsense_qa": (
        {
            "question": "Where do you keep milk?",
            "answerKey": "B",
            "choices": {"label": list("ABCDE"), "text": ["oven", "fridge", "attic", "garden", "car"]},
        },
        ("oven", "fridge", "attic", "garden", "car"),
    ),
    "imdb": ({"text": "I laughed all the way.", "label": 1}, ("neg", "pos")),
    "race/high": (
        {
            "article": "Ann plants beans.",
            "question": "What does Ann plant?",
            "options": ["corn", "beans", "rice", "oats"],
            "answer": "B",
        },
        ("corn", "beans", "rice", "oats"),
    ),
    "sciq": (
        {
            "question": "What do plants breathe in?",
            "support": "Plants take in carbon dioxide.",
            "distractor1": "helium",
            "distractor2": "neon",
            "distractor3": "argon",
            "correct_answer": "carbon dioxide",
        },
        ("helium", "neon", "argon", "carbon dioxide"),
    ),
    "super_glue/boolq": (
        {"passage": "Tea grows in Assam.", "question": "does tea grow in Assam", "label": 1},
        ("no", "yes"),
    ),
    "super_glue/rte": ({"premise": "It rained all day.", "hypothesis": "It was wet.", "label": 0}, ("yes", "no")),
    "trec": (
        {"text": "Who wrote Emma?", "label-coarse": 3, "coarse_label": 3, "fine_label": 4, "label_coarse": 3},
        ("ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"),
    ),
    "xsum": ({"document": "A bridge was opened.", "summary": "New bridge opens."}, ()),
}
PLAIN = Environment()  # promptsource's own settings: no trimming, lenient, and Python's zip
GLOBALS: dict[str, Any] = PLAIN.globals
GLOBALS["zip"] = zip


def example_of(dataset: str) -> Example:
    columns, choices = HAND_MADE[dataset]
    fields = {name: value for name, value in columns.items() if name != "choices"}
    return Example("made", fields, choices, tuple(float(index == 0) for index in range(len(choices))))


def told_by_promptsource(entry: dict[str, Any], columns: dict[str, Any]) -> tuple[str, list[str]]:
    """The prompt and the answer choices, as promptsource's documentation has them: render, cut at |||, strip."""
    written = entry["answer_choices"]
    choices = (
        [] if written is None else [each.strip() for each in PLAIN.from_string(written).render(columns).split("|||")]
    )
    rendered = PLAIN.from_string(entry["jinja"]).render(**columns, answer_choices=choices)
    return rendered.split("|||")[0].strip(), choices


class TagsAsMappings(yaml.SafeLoader):
    """The test's own way to read the published files."""


def construct(loader: yaml.SafeLoader, node: Any) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


for tag in ("!Template", "!TemplateMetadata"):
    TagsAsMappings.add_constructor(tag, construct)


def test_every_shared_file_imports_and_every_wording_says_what_promptsource_says(shared_data: Path) -> None:
    folder = shared_data / "promptsource"
    result = find("promptsource", folder)
    files = sorted(folder.rglob("templates.yaml"))
    assert result.files_read == len(files) == len(HAND_MADE) == 11
    checked = 0
    published = 0
    for file in files:
        data = yaml.load(file.read_text(encoding="utf-8"), TagsAsMappings)
        dataset = "/".join(str(data[key]) for key in ("dataset", "subset") if data.get(key))
        by_key = {(each.source or "").rpartition(" ")[2]: each for each in result.wordings if each.serves == (dataset,)}
        assert by_key, dataset
        published += len(data["templates"])
        for key, entry in data["templates"].items():
            if key not in by_key:
                continue
            prompt, choices = told_by_promptsource(entry, HAND_MADE[dataset][0])
            compiled = compile_instruction(by_key[key])
            made = build_prompt(compiled, example_of(dataset), demonstrations=(), prompt_format="plain")
            assert made.text.strip() == prompt
            if choices:
                assert list(made.options) == choices
            checked += 1
    assert checked == len(list(result.wordings))
    assert published == checked + len(result.refused) + result.repeats
    assert checked >= 75
    assert {refused.reason for refused in result.refused} <= {
        "it has another task than its data set (original_task: false)",
        "it draws a part of its prompt at random (the filter choice)",
        "two choices have the same answer",
        "it uses a forbidden feature",
    }


def in_one_line(value: Any) -> str:
    return yaml.safe_dump(value, width=10_000, default_flow_style=True).strip().removesuffix("...").strip()


def imported(folder: Path, **templates: dict[str, Any]) -> ParseResult:
    path = folder / "templates.yaml"
    body = ["dataset: shop", "templates:"]
    for name, entry in templates.items():
        body.append(f"  {name}-id: !Template")
        for key, value in ({"name": name, "answer_choices": None} | entry).items():
            body.append(f"    {key}: {in_one_line(value)}")
    path.write_text("\n".join(body) + "\n", encoding="utf-8")
    return find("promptsource", folder)


def one(folder: Path, jinja: str, choices: str | None = None) -> Instruction:
    result = imported(folder, t={"jinja": jinja, "answer_choices": choices})
    assert not result.refused, result.refused
    return next(result.wordings)


def refusal(folder: Path, jinja: str, choices: str | None = None, **more: Any) -> str:
    result = imported(folder, t={"jinja": jinja, "answer_choices": choices} | more)
    assert not list(result.wordings)
    return result.refused[0].reason


def test_a_block_around_the_bars_is_cut_in_both_halves(tmp_path: Path) -> None:
    wording = one(
        tmp_path,
        "{% if kind == 'a' %}First? {{ x }} ||| {{ answer_choices[label] }}"
        "{% else %}Second? {{ x }} ||| {{ answer_choices[label] }}{% endif %}",
        "no ||| yes",
    )
    compiled = compile_instruction(wording)
    for kind, said in (("a", "First? here"), ("b", "Second? here")):
        example = Example("e", {"kind": kind, "x": "here"}, ("0", "1"), (1.0, 0.0))
        assert compiled.render_template(example).strip() == said
        assert compiled.render_answers(example) == ("no", "yes")


def test_a_guard_for_a_known_label_is_taken_off(tmp_path: Path) -> None:
    wording = one(
        tmp_path, "{% if label != -1 %}Good? {{ x }} ||| {{ answer_choices[label] }}{% endif %}", "no ||| yes"
    )
    assert "label" not in compile_instruction(wording).fields


def test_answers_with_text_around_them_keep_it(tmp_path: Path) -> None:
    wording = one(tmp_path, "{{ x }} ||| It is {{ answer_choices[label] }}.", "bad ||| good")
    answers = compile_instruction(wording).render_answers(Example("e", {"x": ""}, ("0", "1"), (1.0, 0.0)))
    assert answers == ("It is bad.", "It is good.")


def test_options_of_the_example_become_its_choices(tmp_path: Path) -> None:
    wording = one(
        tmp_path, "{{ q }}\n{{ answer_choices | join(', ') }} ||| {{ answer }}", "{{ options | join('|||') }}"
    )
    made = compile_instruction(wording)
    example = Example("e", {"q": "Which?"}, ("red", "blue"), (1.0, 0.0))
    assert (made.render_template(example), made.render_answers(example)) == ("Which?\nred, blue", ("red", "blue"))


@pytest.mark.parametrize(
    ("jinja", "choices", "reason"),
    [
        ("Is it? {{ x }}", None, "it has no |||, so it gives no answer"),
        ("{{ x }} ||| a ||| b", None, "it has more than one |||"),
        ("{% if x %}{{ x }} ||| {{ y }}{% endif %}", None, "it leaves some examples out"),
        ("{{ [x, y] | choice }} ||| {{ z }}", None, "it draws a part of its prompt at random (the filter choice)"),
        ("{{ x }} ||| {% if label %}{{ answer_choices[0] }}{% else %}{{ answer_choices[1] }}{% endif %}", "a ||| b",
         "its answer is not one of answer_choices by position"),
        ("{{ x }} ||| {{ answer_choices[1 - label] }}", "a ||| b",
         "its answer is not one of answer_choices by position"),
        ("{{ summary }} in short ||| {{ summary }}", None, "its prompt holds the answer"),
        ("{{ x }} ||| {{ answer_choices[label] }}", "same ||| same", "two choices have the same answer"),
        ("||| {{ x }}", None, "its prompt is empty"),
        ("{% macro m() %}{% endmacro %}{{ x }} ||| {{ y }}", None, "the statement {% macro %}"),
        ("{% for a in b %}{{ a }} ||| {{ y }}{% endfor %}", None, "its ||| is in a loop"),
        ("{{ x ||| {{ y }}", None, "not a valid template"),
        ("{{ x.__class__ }} ||| {{ y }}", None, "it uses a forbidden feature"),
        ("{% for a, b in zip(x, y) %}{{ a }}{% endfor %} ||| {{ z }}", None, "it uses a forbidden feature"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_its_reason(
    tmp_path: Path, jinja: str, choices: str | None, reason: str
) -> None:
    assert refusal(tmp_path, jinja, choices) == reason


def test_another_task_than_the_data_sets_is_refused(tmp_path: Path) -> None:
    reason = refusal(tmp_path, "{{ x }} ||| {{ y }}", metadata={"original_task": False})
    assert reason == "it has another task than its data set (original_task: false)"


def test_provenance_and_the_users_names(tmp_path: Path) -> None:
    imported(tmp_path, t={"jinja": "{{ x }}? ||| {{ y }}"}, u={"jinja": "{{ x }}! ||| {{ y }}"})
    result = find(
        "promptsource", tmp_path, ImportRequest(name="mine", serves=("tickets",), only="*/t", fields={"x": "message"})
    )
    wording = next(result.wordings)
    assert (wording.name, wording.serves, wording.template) == ("mine/shop/t", ("tickets",), "{{ message }}?")
    assert (wording.source, wording.licence) == ("promptsource, shop, template t-id", "Apache-2.0 (promptsource)")
    assert len(list(result.wordings)) == 1
