"""The columns of a stored cell: what goes in comes out, and older files get the columns that they lack."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Cell, Outcome
from phraseproof.store.schema import (
    COLUMNS,
    IDENTITY_KEY,
    USAGE_KEY,
    add_missing_columns,
    relabel,
    to_outcomes,
    to_table,
)
from support.stored_cells import make_cell, make_outcomes

_FLOATS = st.floats(allow_nan=False, width=64)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_OUTCOMES = st.builds(
    Outcome,
    example_id=_TEXTS,
    score=_FLOATS,
    options=st.lists(_TEXTS, max_size=3).map(tuple),
    option_logprobs=st.lists(_FLOATS, max_size=3).map(tuple),
    option_tokens=st.lists(st.integers(0, 2**31 - 1), max_size=3).map(tuple),
    option_credits=st.lists(_FLOATS, max_size=3).map(tuple),
    predicted=st.none() | st.integers(0, 9),
    target=st.none() | st.integers(0, 9),
    text=st.none() | _TEXTS,
    reference=st.none() | _TEXTS,
    prompt_tokens=st.integers(0, 2**31 - 1),
    prompt=st.none() | _TEXTS,
)


@given(st.lists(_OUTCOMES, max_size=4))
def test_outcomes_come_back_as_they_were(outcomes: list[Outcome]) -> None:
    assert to_outcomes(to_table(make_cell(), outcomes, "{}")) == outcomes


def test_outcomes_survive_a_file_with_infinities_and_nan(tmp_path: Path) -> None:
    (first, second) = make_outcomes()
    odd = [replace(first, option_logprobs=(-math.inf, 5e-324)), replace(second, score=math.nan)]
    pq.write_table(to_table(make_cell(), odd, "{}"), tmp_path / "cell.parquet")
    one, other = to_outcomes(pq.read_table(tmp_path / "cell.parquet"))
    assert one == odd[0]
    assert math.isnan(other.score)


def test_every_field_of_an_outcome_and_every_name_of_a_cell_is_a_column() -> None:
    names = set(COLUMNS.names)
    outcome = {field.name for field in fields(Outcome)}
    assert outcome <= names
    unstored = {"identity", "num_examples", "grid_examples"}
    assert names - outcome == {field.name for field in fields(Cell)} - unstored


def test_identity_and_usage_are_in_the_metadata() -> None:
    metadata = to_table(make_cell("d" * 32), make_outcomes(), '{"wall_s": 2}').schema.metadata
    assert metadata[IDENTITY_KEY] == b"d" * 32
    assert metadata[USAGE_KEY] == b'{"wall_s": 2}'


def test_a_file_of_the_first_version_gets_empty_columns() -> None:
    table = to_table(make_cell(), make_outcomes(), "{}").drop_columns(
        ["option_tokens", "option_credits", "reference", "scoring", "metric"]
    )
    filled = add_missing_columns(table)
    assert set(filled.column_names) == set(COLUMNS.names)
    assert filled["option_tokens"].null_count == 2
    assert [outcome.option_tokens for outcome in to_outcomes(table)] == [(), ()]
    assert to_outcomes(table) == [replace(outcome, option_tokens=(), option_credits=()) for outcome in make_outcomes()]


def test_other_names_leave_the_numbers_and_the_metadata() -> None:
    table = to_table(make_cell(), make_outcomes(), "{}")
    renamed = relabel(table, make_cell(group="other", instruction="yours/one", fewshot_seed=3))
    assert renamed["group"].to_pylist() == ["other"] * 2
    assert renamed["fewshot_seed"].type == pa.int32()
    assert to_outcomes(renamed) == to_outcomes(table)
    assert renamed.schema.metadata == table.schema.metadata
    assert renamed.schema.equals(COLUMNS)
