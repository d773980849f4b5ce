"""MMLU from its published files and from the hub's layout."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Kind, Task
from phraseproof.errors import FileError, TaskError, UsageError
from phraseproof.tasks import load_tasks
from phraseproof.tasks.mmlu import SUBJECTS
from support.local_hub import LocalHub


def write(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def row(question: str, letter: str = "B") -> list[str]:
    return [question, "one", "two", "three", "four", letter]


def load(name: str, data_dir: Path | None = None) -> Task:
    (task,) = load_tasks([name], data_dir=data_dir)
    return task


@pytest.fixture(scope="module")
def pooled(shared_data: Path) -> Task:
    return load("mmlu", shared_data)


def test_the_real_files_pool_into_14042_questions(pooled: Task, shared_data: Path) -> None:
    assert len(pooled.examples) == 14_042
    assert (pooled.name, pooled.kind, pooled.category) == ("mmlu", Kind.MULTIPLE_CHOICE, "MMLU")
    assert len({example.id for example in pooled.examples}) == 14_042
    assert {len(example.choices) for example in pooled.examples} == {4}
    assert all(sorted(example.option_scores) == [0.0, 0.0, 0.0, 1.0] for example in pooled.examples)
    assert str(shared_data) in pooled.source


def test_counts_per_subject_are_the_published_ones(pooled: Task) -> None:
    counts: dict[str, int] = {}
    for example in pooled.examples:
        subject = example.id.split("/")[0]
        counts[subject] = counts.get(subject, 0) + 1
    assert set(counts) == set(SUBJECTS)
    assert len(counts) == 57
    # Counts that MMLU's own release is widely known by.
    assert counts["professional_law"] == 1534
    assert counts["moral_scenarios"] == 895
    assert counts["miscellaneous"] == 783
    assert counts["anatomy"] == 135
    assert counts["abstract_algebra"] == counts["computer_security"] == counts["us_foreign_policy"] == 100


def test_real_text_is_exactly_the_files(pooled: Task, shared_data: Path) -> None:
    by_id = {example.id: example for example in pooled.examples}
    for subject in ("high_school_us_history", "professional_law", "formal_logic"):
        with (shared_data / "mmlu" / f"{subject}_test.csv").open(encoding="utf-8", newline="") as stream:
            for index, cells in enumerate(csv.reader(stream)):
                example = by_id[f"{subject}/{index}"]
                assert example.fields == {"question": cells[0], "subject": subject.replace("_", " ")}
                assert list(example.choices) == cells[1:5]
                assert "ABCD"[example.target] == cells[5]


def test_one_subject_and_all_apart(pooled: Task, shared_data: Path) -> None:
    apart = load_tasks(["mmlu/*"], data_dir=shared_data)
    assert [task.name for task in apart] == [f"mmlu/{subject}" for subject in SUBJECTS]
    assert sum(len(task.examples) for task in apart) == 14_042
    anatomy = load("mmlu/anatomy", shared_data)
    assert anatomy.examples == tuple(example for example in pooled.examples if example.id.startswith("anatomy/"))


@pytest.mark.parametrize("layout", ["", "mmlu", "test", "mmlu/test"])
def test_local_layouts_and_demonstrations(tmp_path: Path, layout: str) -> None:
    write(tmp_path / layout / "anatomy_test.csv", [row("tested?")])
    dev = tmp_path / layout / ("../dev" if layout.endswith("test") else "dev")
    write(dev / "anatomy_dev.csv", [row("shown?", "D")])
    task = load("mmlu/anatomy", tmp_path)
    assert [example.fields["question"] for example in task.examples] == ["tested?"]
    assert [(example.id, example.target) for example in task.demonstrations] == [("anatomy/dev/0", 3)]


text = st.text(st.characters(codec="utf-8"), max_size=20)


@given(rows=st.lists(st.tuples(text, text, text, text, text, st.sampled_from("ABCD")), min_size=1, max_size=5))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]) -> None:
    folder = tmp_path_factory.mktemp("mmlu")
    write(folder / "virology_test.csv", [list(cells) for cells in rows])
    task = load("mmlu/virology", folder)
    found = [(e.fields["question"], *e.choices, "ABCD"[e.target]) for e in task.examples]
    assert found == rows


def test_an_unknown_subject_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mmlu/anatomy'"):
        load("mmlu/anatomi")


def test_a_pool_with_holes_is_refused_and_says_what_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "anatomy_test.csv", [row("?")])
    with pytest.raises(TaskError, match=r"56 of 57 MMLU files are missing: abstract_algebra_test.csv"):
        load("mmlu", tmp_path)


def test_no_files_at_all_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"no MMLU files found .*mmlu/test"):
        load("mmlu", tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'q,a,b,c,d,A\n"two\nlines",a,b,c,d\n', r"anatomy_test.csv:2: not an MMLU row .*5 cells"),
        (b"q,a,b,c,d,E\n", r":1: not an MMLU row .*ending in 'E'"),
        (b"q,a,b,c,d,AB\n", r":1: not an MMLU row"),
        (b"q,a,b,c,d,\n", r":1: not an MMLU row"),
        (b'q,a,b,c,d,A\n"open,a,b,c,d,A\n', r":2: not valid CSV"),
        (b"q\xff,a,b,c,d,A\n", "not UTF-8 text .*0xff"),
        (b"", "the file is empty"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "anatomy_test.csv").write_bytes(data)
    with pytest.raises(FileError, match=message) as caught:
        load("mmlu/anatomy", tmp_path)
    assert "\n" not in str(caught.value)


def hub_row(question: str, subject: str, answer: int = 2) -> dict[str, Any]:
    return {"question": question, "subject": subject, "choices": ["w", "x", "y", "z"], "answer": answer}


def test_one_subject_from_the_hub(local_hub: LocalHub) -> None:
    splits = {"test": [hub_row("1+1?", "anatomy")], "dev": [hub_row("shown?", "anatomy", 0)]}
    local_hub.add("cais/mmlu", {"anatomy": splits})
    task = load("mmlu/anatomy")
    assert local_hub.calls == [("cais/mmlu", "anatomy", "test", None), ("cais/mmlu", "anatomy", "dev", None)]
    (example,) = task.examples
    assert (example.id, example.fields["question"], example.choices, example.target) == (
        "anatomy/0",
        "1+1?",
        ("w", "x", "y", "z"),
        2,
    )
    assert task.demonstrations[0].target == 0
    assert task.source == "hub cais/mmlu, config anatomy, split test"


def test_all_subjects_from_the_hub_in_one_configuration(local_hub: LocalHub) -> None:
    rows = [hub_row(f"{name} {index}", name) for name in SUBJECTS for index in range(2)]
    local_hub.add("cais/mmlu", {"all": {"test": rows, "dev": rows[:3]}})
    pooled, *apart = load_tasks(["mmlu", "mmlu/*"])
    assert {call[1] for call in local_hub.calls} == {"all"}
    assert len(pooled.examples) == 114
    assert [task.name for task in apart][:2] == ["mmlu/abstract_algebra", "mmlu/anatomy"]
    assert [example.id for example in apart[1].examples] == ["anatomy/0", "anatomy/1"]


def test_a_hub_copy_that_lacks_a_subject_or_a_column(local_hub: LocalHub) -> None:
    local_hub.add("cais/mmlu", {"all": {"test": [hub_row("?", "anatomy")], "dev": [hub_row("?", "anatomy")]}})
    with pytest.raises(TaskError, match="no questions of abstract_algebra, astronomy"):
        load("mmlu")
    local_hub.add("cais/mmlu", {"virology": {"test": [{"question": "?"}], "dev": [{"question": "?"}]}})
    with pytest.raises(TaskError, match="the column 'subject' is missing"):
        load("mmlu/virology")


def test_without_a_hub_the_way_out_is_said() -> None:
    with pytest.raises(
        TaskError, match=r"hub cais/mmlu, config all, split test: the hub cannot be reached.*--data-dir"
    ):
        load("mmlu")
