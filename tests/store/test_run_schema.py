"""`run.json` with another type in any of its sections is refused, and the place is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from phraseproof.store.run_schema import check_run_content
from support.stored_cells import finished_run, make_cell


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    finished_run(tmp_path, make_cell())
    found: dict[str, Any] = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    return found


def test_what_a_run_writes_is_right(content: dict[str, Any]) -> None:
    check_run_content(content)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("settings",), []),
        (("settings", "model"), "m"),
        (("settings", "limit"), "3"),
        (("settings", "seed"), 1.5),
        (("cells",), {}),
        (("cells", 0), None),
        (("cells", 0, "task"), 3),
        (("cells", 0, "num_examples"), -1),
        (("cells", 0, "num_examples"), True),
        (("cells", 0, "num_examples"), 10**30),
        (("tasks",), ["t"]),
        (("checksums",), {"a": "b"}),
        (("usage",), "much"),
    ],
)
def test_another_type_is_refused_by_every_reader(
    content: dict[str, Any], tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    inner: Any = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / "run.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"run\.json is damaged") as caught:
        load_run(tmp_path)
    assert ".".join(map(str, place)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{", "[" * 100_000, "9" * 5000, "\xff"])
def test_what_is_no_run_file_is_refused_in_one_line(content: dict[str, Any], tmp_path: Path, text: str) -> None:
    del content
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(RunError, match=r"run\.json is damaged") as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)
