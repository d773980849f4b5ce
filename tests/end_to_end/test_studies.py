"""Studies of the shipped model, as a user makes them: every file, and numbers counted from the stored answers.

One task and two examples of it. The other studies of `phraseproof study all` have their own tests.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from support.command_line import run_command

pytestmark = pytest.mark.slow

MADE = ("table-2", "table-3", "closer-look", "distance")

FILES = {f"exhibit.{ending}" for ending in ("txt", "md", "csv", "tex", "json", "html")} | {"study.json"}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "exhibit.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def counted(run: Path) -> Mapping[str, float]:
    """The mean over wordings of the share of right answers, in percent, by group, from the files of the cells."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for path in (run / "cells").rglob("*.parquet"):
        table = pq.read_table(path, columns=["group", "predicted", "target"]).to_pylist()
        scores[table[0]["group"]].append(sum(row["predicted"] == row["target"] for row in table) / len(table))
    return {group: 100 * sum(found) / len(found) for group, found in scores.items()}


def test_exhibits_of_the_pocket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test: the studies share runs, and processes that share the tests would make them again."""
    monkeypatch.setenv("COLUMNS", "100")  # the width of exhibit.txt
    for name in MADE:
        makes(name, tmp_path, capsys)
    shares_a_run(tmp_path)
    is_made_again(tmp_path / "distance" / "pocket", capsys)


def makes(name: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = () if name == "table-2" else ("--model", "pocket", "--tasks", "pocket/has-maker", "--limit", "2")
    done = run_command(capsys, "study", name, *model, "--out", out, "--quiet")
    assert done.code == 0, done.err
    folder = out / name / ("pocket" if model else "all")
    found = {path.name for path in folder.iterdir()}
    assert found >= FILES
    charts = {path.rpartition(".")[0] for path in found - FILES}
    assert found - FILES == {f"{chart}.{ending}" for chart in charts for ending in ("svg", "pdf")}
    assert bool(charts) == bool(model)
    assert (folder / "exhibit.txt").read_text(encoding="utf-8").split() == done.out.split()
    page = (folder / "exhibit.html").read_text(encoding="utf-8")
    assert page.count("<figure data-chart=") == len(charts)
    assert all(f'id="{link}"' in page for link in re.findall(r'href="#([^"]+)"', page))
    assert re.findall(r"""(?:src|href)=["'](?!#)[^"']+|url\(|@import""", page[: page.index('<script type="app')]) == []
    spec = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    for step in spec["steps"]:
        assert (out / step["folder"]).is_dir()
        assert re.fullmatch("[0-9a-f]{32}", step["identity"])
    if name in {"table-3", "closer-look"}:
        means = counted(out / spec["steps"][0]["folder"])
        shown = {
            row["group"]: float(row["estimate"])
            for row in rows(folder)
            if (row["level"], row["statistic"]) == ("overall", "mean") and row["scoring"] != "published"
        }
        assert shown == pytest.approx(means)


def shares_a_run(out: Path) -> None:
    specs = [json.loads((out / name / "pocket" / "study.json").read_bytes()) for name in ("table-3", "distance")]
    first, second = (spec["steps"][0] for spec in specs)
    assert first == second


def is_made_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its spec, with the same bytes."""
    before = {path: path.read_bytes() for path in folder.iterdir() if path.suffix != ".pdf"}
    done = run_command(capsys, "study", folder, "--quiet")
    assert done.code == 0, done.err
    assert {path: path.read_bytes() for path in before} == before
