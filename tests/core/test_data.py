"""The nouns: what is derived from their fields, and what does not count in comparisons."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from phraseproof import core
from phraseproof.core import Cell, Example, Finding, Instruction, Kind, Outcome, Relation, Task

EXAMPLE = Example("1", {"question": "?"}, ("a", "b", "c"), (0.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("scores", "target"), [((0.0, 1.0, 1.0), 1), ((1.0, 0.0, 0.0), 0), ((0.2, 0.1, 0.7), 2), ((0.0, 0.0, 0.0), 0)]
)
def test_the_target_is_the_first_of_the_best_options(scores: tuple[float, ...], target: int) -> None:
    assert replace(EXAMPLE, option_scores=scores).target == target


def test_free_text_has_no_target() -> None:
    with pytest.raises(ValueError, match="empty"):
        _ = Example("1", {}, reference="a text").target


def test_a_difference_the_other_way_round_keeps_its_interval_in_order() -> None:
    found = Finding("d", -0.03, 3, "by hand", low=-0.05, high=0.01, p_value=0.2)
    assert found.negated == Finding("d", 0.03, 3, "by hand", low=-0.01, high=0.05, p_value=0.2)
    assert Finding("d", 2, 3, "by hand").negated == Finding("d", -2, 3, "by hand")


def test_a_wording_is_named_by_collection_and_id_and_where_it_was_read_does_not_count() -> None:
    wording = Instruction("one", "mine", ask="Which?", origin="mine.yaml:3")
    assert wording.name == "mine/one"
    assert wording == replace(wording, origin="other.yaml:9")
    assert hash(wording) == hash(replace(wording, origin=None))
    assert wording != replace(wording, author="somebody")


def test_wordings_and_cells_have_the_defaults_that_the_documentation_names() -> None:
    assert (Instruction("a", "b").separator, Instruction("a", "b").answer) == ("\n\n", "{{ letter }}")
    cell = Cell("i", "t", "c", "w", "g", 0, 0, 1)
    assert (cell.scoring, cell.metric, cell.grid_examples) == ("loglikelihood", "accuracy", None)


@pytest.mark.parametrize(
    "value",
    [
        EXAMPLE,
        Task("t", Kind.BINARY, "c", (EXAMPLE,)),
        Instruction("a", "b", relation=Relation.OBSERVED),
        Cell("i", "t", "c", "w", "g", 0, 0, 1),
        Outcome("1", 1.0, ("a",), (-0.5,)),
        core.Finding("mean", 0.5, 10, "t"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nouns_are_frozen_and_go_to_other_processes(value: object) -> None:
    assert is_dataclass(value)
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(value, fields(value)[0].name, "other")
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("kind", [Kind, Relation])
def test_kinds_are_the_texts_that_files_hold(kind: type[Kind] | type[Relation]) -> None:
    assert {kind(member.value) for member in kind} == set(kind)
    assert all(str(member) == member.value == member.name.lower() for member in kind)


def test_everything_the_package_names_is_there() -> None:
    assert all(hasattr(core, name) for name in core.__all__)
    assert sorted(core.__all__, key=lambda name: (not name.isupper(), name)) == core.__all__
