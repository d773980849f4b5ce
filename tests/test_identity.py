"""Content hashes: the same for the same content on every machine, another for any other."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from phraseproof import identity
from phraseproof.core import Example, Instruction, Kind
from phraseproof.errors import FileError
from phraseproof.identity import content_hash, file_hash, hub_commit
from support.hub_cache import COMMIT, add_to_cache, use_cache

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_it_is_what_the_documentation_says() -> None:
    value = {"b": [1, None, "é"], "a": 0.5}
    text = json.dumps([identity.SCHEMA_VERSION, value], sort_keys=True)
    assert content_hash(value) == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    assert len(content_hash(value)) == 32


@given(PLAIN)
def test_the_same_content_has_the_same_hash(value: Any) -> None:
    assert content_hash(value) == content_hash(json.loads(json.dumps(value)))


@given(PLAIN, PLAIN)
def test_other_content_has_another(one: Any, other: Any) -> None:
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    assert content_hash(one) != content_hash(other)


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_count(value: dict[str, int]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


def test_the_order_of_items_counts() -> None:
    assert content_hash([1, 2]) != content_hash([2, 1])


def test_a_wording_is_its_fields_and_not_where_it_was_read() -> None:
    wording = Instruction("one", "mine", ask="Is it?", origin="w.yaml:3")
    assert content_hash(wording) == content_hash(replace(wording, origin="elsewhere.yaml:9"))
    assert content_hash(wording) != content_hash(replace(wording, ask="Was it?"))
    assert content_hash(Kind.BINARY) == content_hash("binary")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_equal_to_nothing_has_no_hash(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        content_hash([value])


@pytest.mark.parametrize("value", [{1, 2}, object(), b"x", Path("x"), Instruction])
def test_what_has_no_canonical_form_has_no_hash(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        content_hash({"a": value})


def test_a_new_schema_makes_all_hashes_new(monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_hash("x")
    monkeypatch.setattr(identity, "SCHEMA_VERSION", identity.SCHEMA_VERSION + 1)
    assert content_hash("x") != before


def test_another_process_with_another_hash_seed_agrees() -> None:
    value = {"choices": ["billing", "bug"], "kind": "binary", "n": 0.1}
    code = f"from phraseproof.identity import content_hash; print(content_hash({value!r}))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert done.stdout.strip() == content_hash(value)


def test_files_are_their_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    both = file_hash(tmp_path / "a", tmp_path / "b")
    assert both == file_hash(tmp_path / "a", tmp_path / "b")
    assert both != file_hash(tmp_path / "b", tmp_path / "a")
    # Bytes that move from the end of one file to the beginning of the next make other files.
    (tmp_path / "a").write_bytes(b"onet")
    (tmp_path / "b").write_bytes(b"wo")
    assert file_hash(tmp_path / "a", tmp_path / "b") != both


def test_files_larger_than_a_chunk_are_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(3 << 20))
    before = file_hash(path)
    with path.open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"x")
    assert file_hash(path) != before


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "weights").symlink_to("/dev/zero")
    with pytest.raises(FileError, match="a device"):
        file_hash(tmp_path / "weights")


def test_an_example_without_other_references_has_the_hash_of_the_first_versions() -> None:
    plain = {"id": "1", "fields": {"q": "Why?"}, "choices": ["a"], "option_scores": [1.0], "reference": None}
    example = Example("1", {"q": "Why?"}, choices=("a",), option_scores=(1.0,))
    assert content_hash(example) == content_hash(plain)
    free = Example("1", {"q": "Why?"}, reference="so")
    assert content_hash(free) != content_hash(replace(free, other_references=("because",)))


def test_the_commit_of_a_model_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    add_to_cache(use_cache(monkeypatch, tmp_path / "hub"), "org/model", tmp_path / "model")
    assert hub_commit("org/model") == hub_commit("org/model", COMMIT) == COMMIT
    assert hub_commit("org/model", "later") is None
    assert hub_commit("org/another") is None
    assert hub_commit("no/hub/id") is None
