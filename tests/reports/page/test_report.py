"""The report as a text: its size, what it is made of, and what it does with odd runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from phraseproof.cli import main
from phraseproof.reports.page.report import render_report
from phraseproof.reports.page.sources import open_sources
from report_runs import write_run

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("shots", [(0,), (0, 3)])
def test_each_number_of_demonstrations_has_its_own_part(tmp_path: Path, shots: tuple[int, ...]) -> None:
    page = render_report(open_sources([write_run(tmp_path / "run", shots=shots, tasks={"t/x": "T"})]))
    charts = data_of(page)["charts"]
    assert {name for name in charts if name.endswith("strip-chart")} == {f"r0-k{k}-strip-chart" for k in shots}
    assert set(re.findall(r'data-chart="([^"]+)"', page)) == set(charts), "every chart has its place, and no more"


def test_controls_get_a_verdict(tmp_path: Path) -> None:
    run = write_run(
        tmp_path / "run", groups={"good": 3, "twisted": 3}, relations={"good": "observed", "twisted": "negated"}
    )
    page = render_report(open_sources([run]))
    assert "Does the model read the instruction?" in page
    assert "twisted" in page


def test_a_lone_first_wording_is_the_current_one(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", tasks={"t/x": "T"}, groups={"today": 1, "others": 3})
    assert "The current wording, today/w0, gets" in render_report(open_sources([run]))


def test_published_accuracies_make_a_page_that_says_what_it_lacks(shared_data: Path, tmp_path: Path) -> None:
    csv = shared_data / "paper" / "results" / "main-bbl-flan-t5-xl.csv"
    with pytest.raises(SystemExit) as stopped:
        main(["import-results", str(csv), "--out", str(tmp_path / "run")])
    assert stopped.value.code == 0
    page = render_report(open_sources([tmp_path / "run"]))
    assert "Imported accuracies of wordings" in page
    assert "NaN" not in json.dumps(data_of(page)["charts"])


def test_two_hundred_wordings_on_twenty_tasks_stay_under_five_megabytes(tmp_path: Path) -> None:
    """What grows with wordings and tasks is measured on a smaller grid, and extrapolated."""
    text = "a wording of usual length, with an ask and a layout, some three hundred characters long: " + "word " * 42

    def size(wordings: int, tasks: int) -> int:
        run = write_run(
            tmp_path / f"{wordings}-{tasks}",
            tasks={f"suite/task-{n}": "Suite" for n in range(tasks)},
            groups={"observed": wordings // 2, "unobserved": wordings // 2},
            examples=2,
            wording_text=text,
        )
        return len(render_report(open_sources([run])).encode())

    fixed, by_wording, by_cell = size(2, 1), size(22, 1), size(22, 5)
    a_wording = (by_wording - fixed) / 20
    a_cell = (by_cell - by_wording) / (22 * 4)
    assert fixed + 200 * a_wording + 200 * 19 * a_cell < 5_000_000
