"""What tables say of runs in half precision, in every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from phraseproof.evaluation.half_precision import HalfPrecision
from phraseproof.reports.build.run_tables import half_precision_line
from phraseproof.reports.format.tables import By, TableFormat, render
from support.table_samples import RUN

FOUND = HalfPrecision(
    dtype="bfloat16",
    sampled_prompts=64,
    largest_error=0.06,
    bound=0.12,
    changed_in_sample=1,
    choices=12_000,
    close=360,
    rescored=False,
)
SAID = (
    "computed in bfloat16; 360 of 12,000 choices (3.0%) are within its error bound of a tie (0.12, twice the largest "
    "error on 64 prompts scored in float32 as well), and may differ in float32"
)
HALF = replace(RUN, half_precision=FOUND)


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("form", list(TableFormat))
def test_every_format_says_so_once_a_table(form: TableFormat, by: By) -> None:
    rendered = render([HALF], form=form, by=by)
    if form is TableFormat.CSV:
        assert rendered.warnings == (f"runs/base: {SAID}",)
        plain = render([RUN], form=form, by=by)
        assert list(csv.reader(io.StringIO(rendered.text))) == list(csv.reader(io.StringIO(plain.text)))
        return
    text = " ".join(rendered.text.replace("\\%", "%").split())
    assert text.count(SAID) == 1
    assert "bfloat16" not in render([RUN], form=form, by=by).text


@pytest.mark.parametrize("by", list(By))
def test_json_holds_the_numbers(by: By) -> None:
    (table,) = json.loads(render([HALF], form=TableFormat.JSON, by=by).text)["tables"]
    assert table["half_precision"] == {
        "dtype": "bfloat16",
        "sampled_prompts": 64,
        "largest_error": 0.06,
        "bound": 0.12,
        "changed_in_sample": 1,
        "choices": 12_000,
        "close": 360,
        "rescored": False,
        "why_not": None,
        "scored_again": None,
        "changed_again": None,
        "expected_changes": None,
    }
    (plain,) = json.loads(render([RUN], form=TableFormat.JSON, by=by).text)["tables"]
    assert plain["half_precision"] is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, SAID),
        ({"rescored": True}, "computed in bfloat16; choices no further from a tie than its error bound (0.12, twice"),
        (
            {"rescored": True, "scored_again": 300, "changed_again": 21, "expected_changes": 0.042},
            (
                "computed in bfloat16; 300 of 12,000 choices (2.5%), those no further from a tie than its error bound "
                "(0.12, twice the largest error on 64 prompts scored in float32 as well), were scored again in "
                "float32, which changed 21; of the others, float32 is expected to change 0.042"
            ),
        ),
        (
            {"rescored": True, "scored_again": 0, "changed_again": 0, "expected_changes": 0.0042},
            "of the others, float32 is expected to change fewer than 0.01",
        ),
        ({"why_not": "memory ran out", "bound": None}, "within its error of a tie is not known: memory ran out"),
        ({"bound": None, "largest_error": None}, "its scores were not finite, so every choice could be another one"),
        ({"sampled_prompts": 1}, "twice the largest error on 1 prompt scored"),
    ],
)
def test_what_is_said(changes: dict[str, object], said: str) -> None:
    assert said in half_precision_line(replace(FOUND, **changes))
