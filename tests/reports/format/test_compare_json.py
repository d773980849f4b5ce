"""A comparison as JSON."""

import json
from pathlib import Path

from phraseproof.reports.build.compare import compare
from phraseproof.reports.format import compare_json
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_rows_and_wordings_are_in_percent(tmp_path: Path) -> None:
    runs = [load_run(write_run(tmp_path / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.2))]
    document = json.loads(compare_json.render(compare(*runs)))
    assert document["format_version"] == 1
    (found,) = document["comparisons"]
    overall = next(row for row in found["rows"] if row["level"] == "overall" and row["group"] is None)
    assert 0 < overall["before_percent"] < overall["after_percent"] <= 100
    assert overall["difference_percentage_points"] > 0
    assert len(found["wordings"]) == 3 * 7
    assert found["before"]["path"].endswith("a")
