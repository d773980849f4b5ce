"""`phraseproof pocket figures` prints the accuracies of its run as a Markdown table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.store.queries import load_run

KINDS = ["Pocket-BC", "Pocket-MC", "Pocket-QA"]


@pytest.mark.slow
def test_the_table_has_the_accuracies_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["pocket", "figures", "--model", "pocket/tiny", "--limit", "1", "--out", str(tmp_path / "run")])
    assert stopped.value.code == 0
    header, rule, *rows = capsys.readouterr().out.splitlines()
    assert header == "| kind | observed wordings, % | test wordings, % | difference, points |"
    assert rule == "|---|---|---|---|"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [kind for kind, *_ in cells] == [*KINDS, "all kinds"]

    found = load_run(tmp_path / "run").query(
        """SELECT category, "group", 100 * avg(score) AS mean FROM outcomes GROUP BY ALL"""
    )
    means = {(row["category"], row["group"]): row["mean"] for row in found.to_pylist()}
    observed, test = ([means[kind, group] for kind in KINDS] for group in ("observed", "test"))
    expected = [*zip(observed, test, strict=True), (sum(observed) / 3, sum(test) / 3)]
    for (_, *intervals), (first, second) in zip(cells, expected, strict=True):
        numbers = [[float(number) for number in re.findall(r"-?\d+\.\d", interval)] for interval in intervals]
        assert [number for number, _, _ in numbers] == pytest.approx([first, second, first - second], abs=0.0501)
        assert all(low <= number <= high for number, low, high in numbers)
