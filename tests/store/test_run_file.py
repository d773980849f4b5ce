from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.store.run_file import (
    RUN_FILE,
    EvaluatedSample,
    entry_of,
    read_run_file,
    require_growth,
    sample_entry,
    samples_of,
    write_run_file,
)

OLD = {"model": {"name": "m"}, "limit": 4, "scoring": "loglikelihood"}


def test_a_run_grows_in_sample_and_scorer_only(tmp_path: Path) -> None:
    grown = require_growth(tmp_path, OLD, {**OLD, "limit": 9, "scoring": "paper"})
    assert grown == {**OLD, "limit": 9}, "the scorer of the first evaluation stays the first"
    assert require_growth(tmp_path, OLD, {**OLD, "limit": None})["limit"] is None
    with pytest.raises(RunError, match=r"another setting of model\.name"):
        require_growth(tmp_path, OLD, {**OLD, "model": {"name": "n"}})
    with pytest.raises(RunError, match="a larger sample"):
        require_growth(tmp_path, OLD, {**OLD, "limit": 3})


def test_samples_of_old_and_new_runs() -> None:
    assert samples_of({"settings": OLD}) == [EvaluatedSample(4, 0, "loglikelihood")]
    new = [EvaluatedSample(4, 0), EvaluatedSample(None, 0, "paper")]
    section = {name: entry for each in new for name, entry in sample_entry(each).items()}
    assert samples_of({"settings": OLD, "samples": section}) == new


def test_a_folder_of_run_folders_gets_a_hint_that_lists_them(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"it has no run\.json.*phraseproof runs .* lists those in it"):
        read_run_file(tmp_path)
    with pytest.raises(RunError, match="Check the path"):
        read_run_file(tmp_path / "nope")
    (tmp_path / "d.csv").write_text("a,b\n")
    with pytest.raises(RunError, match=r"it has no run\.json\. Give the folder that was named with --out$"):
        read_run_file(tmp_path / "d.csv")


def test_a_large_file_has_an_item_per_line_and_the_same_content(tmp_path: Path) -> None:
    cell = entry_of(Cell("0" * 32, "t", "c", "i", "observed", 0, 0, 4))
    content = {"schema_version": 1, "settings": OLD, "cells": [cell]}
    write_run_file(tmp_path, content)
    small = (tmp_path / RUN_FILE).read_text(encoding="utf-8")
    assert '\n "cells": [\n  {\n   "identity"' in small
    many = {**content, "cells": [{**cell, "instruction": f"wording {number}"} for number in range(501)]}
    write_run_file(tmp_path, many)
    lines = (tmp_path / RUN_FILE).read_text(encoding="utf-8").splitlines()
    assert '"instruction": "wording 7",' in lines
    assert read_run_file(tmp_path) == many


def test_an_edit_of_a_large_file_is_found(tmp_path: Path) -> None:
    cell = entry_of(Cell("0" * 32, "t", "c", "i", "observed", 0, 0, 4))
    write_run_file(tmp_path, {"schema_version": 1, "settings": OLD, "cells": [cell] * 501})
    path = tmp_path / RUN_FILE
    path.write_text(path.read_text(encoding="utf-8").replace('"num_examples": 4', '"num_examples": 5', 1))
    with pytest.raises(RunError, match="its checksum is not that of its content"):
        read_run_file(tmp_path)
