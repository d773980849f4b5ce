"""Files of answers, whatever is in them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.models.openai.batch import output
from phraseproof.models.openai.batch.output import BatchLine, contradicted, is_whole, lines


def line(custom_id: object = "0a", **fields: Any) -> bytes:
    found = {"custom_id": custom_id, "response": {"status_code": 200, "body": {"text": "x"}}, "error": None}
    return json.dumps(found | fields).encode()


def test_lines_are_read_with_or_without_a_last_line_end() -> None:
    text = line() + b"\n\n" + line("0b", response=None, error={"code": "batch_expired", "message": "late"})
    expected = [BatchLine(b"\n", 200, {"text": "x"}, ""), BatchLine(b"\x0b", 0, None, "batch_expired")]
    for end in (b"", b"\n", b"\r\n"):
        assert list(lines(io.BytesIO(text + end))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"{", None),
        (b"[]", None),
        (b"[" * 100_000, None),
        (line(7), BatchLine(b"", 200, {"text": "x"}, "")),
        (line("not hexadecimal"), BatchLine(b"", 200, {"text": "x"}, "")),
        (line(response=[1]), BatchLine(b"\n", 0, None, "")),
        (line(response={"status_code": True, "body": 1}), BatchLine(b"\n", 0, 1, "")),
        (line(response={"status_code": "200"}), BatchLine(b"\n", 0, None, "")),
        (line(response=None, error="x" * 500), BatchLine(b"\n", 0, None, "x" * 100)),
    ],
)
def test_a_line_of_another_shape_gives_no_answer(text: bytes, expected: BatchLine | None) -> None:
    assert list(lines(io.BytesIO(text + b"\n" + line()))) == [expected, BatchLine(b"\n", 200, {"text": "x"}, "")]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(text: bytes) -> None:
    file = io.BytesIO(text)
    assert all(each is None or isinstance(each, BatchLine) for each in lines(file))
    contradicted(file)
    is_whole(file)


def test_a_line_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAX_BYTES", 200)
    found = list(lines(io.BytesIO(line() + b"\n" + line(error="y" * 1000) + b"\n" + line("0b"))))
    assert [each and each.key for each in found] == [b"\n", None, b"\x0b"]


def test_answers_that_differ_are_found_and_equal_ones_are_not() -> None:
    other = line("0b", response={"status_code": 200, "body": {"text": "y"}})
    assert contradicted(io.BytesIO(b"\n".join([line(), line("0b"), line(), other]))) == {b"\x0b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b"", True), (line() + b"\n", True), (line(), True), (line()[:-1], False), (line() + b"\n" + line()[:9], False)],
)
def test_a_cut_last_line_is_noticed(text: bytes, expected: bool) -> None:
    assert is_whole(io.BytesIO(text)) is expected
