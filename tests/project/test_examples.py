"""Every example is on the page of examples and is run by `make examples`; outputs are compared as they should be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tools.refresh_examples import notebook_text, output_of, refreshed_page, same

from support.project_files import ROOT

EXAMPLES = ROOT / "examples"
PAGE = (EXAMPLES / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def test_every_example_is_linked_and_every_program_is_run() -> None:
    programs = sorted(EXAMPLES.glob("*.py"))
    assert len(programs) >= 5
    assert len(NOTEBOOKS) >= 2
    for path in (*programs, *NOTEBOOKS):
        assert f"({path.name})" in PAGE, path.name
    run = set(re.findall(r"^\$ python examples/(\w+\.py)", PAGE, re.MULTILINE))
    assert run == {path.name for path in programs}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_hold_the_outputs_of_a_whole_run(path: Path) -> None:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    assert any(cell["outputs"] for cell in cells)
    assert not [each for cell in cells for each in cell["outputs"] if each["output_type"] == "error"]
    assert notebook_text(content) == path.read_text(encoding="utf-8")


def test_the_page_and_the_notebooks_name_no_folder_of_this_machine() -> None:
    for path in (EXAMPLES / "README.md", *NOTEBOOKS):
        assert not re.search(r"/(?:home|root|tmp|work|Users)/", path.read_text(encoding="utf-8")), path.name


def test_outputs_are_put_below_their_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Text\n\n```console\n$ echo a; echo b\nold\n```\n\n```console\n$ echo c\n```\n", encoding="utf-8")
    assert refreshed_page(page) == "Text\n\n```console\n$ echo a; echo b\na\nb\n```\n\n```console\n$ echo c\nc\n```\n"


def test_a_command_that_fails_stops_the_refresh() -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        output_of("exit 3")
    assert output_of('(exit 3) || echo "exit code $?"') == "exit code 3\n"


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("mean 91.2%, 20 wordings", "mean 91.9%, 20 wordings", True),
        ("mean 91.2%", "mean 94.2%", False),
        ("BROKEN 91.2", "kept 91.2", False),
        ("1,000 rows", "1,015 rows", False),
        ("a 1", "a 1 2", False),
        ("adapter: d5e3e4145f3f01c87e86def5d079b219", "adapter: 71bf556666630083f90522880daad747", True),
        ("adapter: d5e3e4145f3f01c87e86def5d079b219", "adapter: none", False),
    ],
)
def test_numbers_may_differ_by_rounding_and_hashes_at_all(old: str, new: str, is_same: bool) -> None:
    assert same(old, new) == is_same


def test_times_and_warnings_are_no_outputs_of_a_notebook() -> None:
    outputs = [{"output_type": "stream", "name": name, "text": name} for name in ("stdout", "stderr")]
    cell = {"cell_type": "code", "metadata": {"execution": {"started": "now"}}, "outputs": outputs}
    written = json.loads(notebook_text({"cells": [cell], "metadata": {"language_info": {"version": "3.11.7"}}}))
    assert written["cells"][0]["metadata"] == {}
    assert [each["name"] for each in written["cells"][0]["outputs"]] == ["stdout"]
    assert "language_info" not in written["metadata"]
