"""Answers that survive a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.models.openai.answer_store import AnswerStore, RequestKeys

CHOICE = {"text": "Anton \u00e9 \ud800", "logprobs": {"token_logprobs": [None, -0.1234567890123456789]}}


def test_another_process_finds_every_answer_unchanged(tmp_path: Path) -> None:
    first = AnswerStore(tmp_path / "a.sqlite")
    for number in range(50):
        first.put(bytes([number] * 16), CHOICE | {"number": number})
    second = AnswerStore(tmp_path / "a.sqlite")  # the first one is not closed, as after a kill
    assert [second.get(bytes([number] * 16)) for number in range(50)] == [
        CHOICE | {"number": number} for number in range(50)
    ]
    assert second.get(b"other") is None
    first.close()
    second.close()


def test_a_used_answer_is_given_to_no_other_call_and_settled_later(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "a.sqlite")
    store.put(b"1", CHOICE)
    store.put(b"2", CHOICE)
    store.use({b"1"})
    assert (store.get(b"1"), store.get(b"2")) == (None, CHOICE)
    store.close()
    again = AnswerStore(tmp_path / "a.sqlite")  # a kill before `settle`: the answer is still there
    assert again.get(b"1") == CHOICE
    again.use({b"1"})
    again.settle()
    assert (again.get(b"1"), again.get(b"2")) == (None, CHOICE)
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_damage_counts_as_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    store = AnswerStore(path)
    assert store.get(b"1") is None
    store.put(b"1", CHOICE)
    assert store.get(b"1") == CHOICE
    store._database.execute("UPDATE answers SET choice = x'00112233'")  # type: ignore[union-attr]
    assert store.get(b"1") is None
    store.close()


def test_an_answer_is_kept_after_another_process_removed_the_file(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "a.sqlite")
    store.put(b"1", CHOICE)
    (tmp_path / "a.sqlite").unlink()
    store.put(b"2", CHOICE)
    store.close()
    again = AnswerStore(tmp_path / "a.sqlite")
    assert again.get(b"2") == CHOICE
    again.close()


def test_keys_name_content_and_place() -> None:
    keys = RequestKeys("http://a/v1", "/completions")
    first, equal, other = keys.next({"a": 1, "b": 2}), keys.next({"b": 2, "a": 1}), keys.next({"a": 2})
    assert len({first, equal, other}) == 3
    assert RequestKeys("http://a/v1", "/completions").next({"a": 1, "b": 2}) == first
    assert RequestKeys("http://b/v1", "/completions").next({"a": 1, "b": 2}) != first


def test_several_answers_are_kept_together(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "a.sqlite", is_synced=True)
    store.put_all((bytes([number]), CHOICE | {"number": number}) for number in range(5))
    store.close()
    again = AnswerStore(tmp_path / "a.sqlite")
    assert [again.get(bytes([number])) for number in range(5)] == [CHOICE | {"number": number} for number in range(5)]
    again.remove()


def test_a_damaged_file_that_names_batches_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database, but longer than a header" * 100)
    with pytest.raises(RunError, match=r"a.sqlite: the file of answers and batches is damaged"):
        AnswerStore(path, is_synced=True)
    assert path.exists()
    AnswerStore(path).close()
    assert not path.exists()
