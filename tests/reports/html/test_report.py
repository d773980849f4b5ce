"""The report as a text: its size, what it is made of, and what it does with odd runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from phraseproof.analysis.estimators.budget import estimated_scores
from phraseproof.cli import main
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.report import render_report
from phraseproof.store.queries import load_run
from support import free_texts, reading_task
from support.report_runs import write_run
from support.run_files import edit_run_file

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


def test_the_title_names_the_folder_and_the_model_without_its_path(tmp_path: Path) -> None:
    run = write_run(tmp_path / "tickets")
    edit_run_file(run, lambda content: content["settings"]["model"].update(name="/home/me/.cache/smollm2"))
    page = render_report(open_sources([run]))
    assert "<title>tickets: effect of wording on smollm2</title>" in page
    of_one_name = render_report(open_sources([run.rename(tmp_path / "smollm2")]))
    assert "<title>Effect of wording on smollm2</title>" in of_one_name


def test_controls_get_a_result(tmp_path: Path) -> None:
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


def test_controls_are_neither_flips_nor_held_against_the_model(tmp_path: Path) -> None:
    run = write_run(
        tmp_path / "run", groups={"good": 3, "twisted": 3}, relations={"good": "observed", "twisted": "negated"}
    )
    page = render_report(open_sources([run]))
    in_short = page[page.index(">In short</h2>") : page.index("<figure")]
    assert "twisted" not in in_short
    flips = re.findall(r"<article class=\"flip\".*?</article>", page, re.DOTALL)
    assert flips
    assert not any("twisted" in flip for flip in flips)


def test_a_run_with_a_budget_is_shown_by_its_estimates_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("question,label\n" + "".join(f"Is it {n}?,{'yn'[n % 2]}\n" for n in range(40)))
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [y, n]\nanswer: label\n")
    entries = [{"id": f"w{n}", "template": f"{'so ' * n}{{{{ question }}}}", "answer": "text"} for n in range(4)]
    (tmp_path / "w.yaml").write_text(json.dumps({"name": "w", "instructions": entries}))
    command = ["evaluate", "-m", "scripted", "-t", f"{tmp_path}/t.yaml", "--instructions", f"w={tmp_path}/w.yaml"]
    with pytest.raises(SystemExit) as stopped:
        main([*command, "-q", "--budget", "25%", "-o", f"{tmp_path}/run"])
    assert stopped.value.code == 0
    run = load_run(tmp_path / "run")
    page = render_report(open_sources([run.path]))
    assert "Estimated from 25" in page
    estimates = {score.instruction: 100 * score.mean_score for score in estimated_scores(run)}
    packed = data_of(page)["charts"]["r0-k0-strip-chart"]["data"]["wordings"]
    name, value = (packed["columns"].index(column) for column in ("wording", "accuracy_percent"))
    assert {row[name]: row[value] for row in packed["rows"]} == pytest.approx(estimates)


def test_three_sizes_of_models_make_a_line(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"size{n}", bonus=0.05 * n, examples=6) for n in range(3)]
    page = render_report(open_sources(runs))
    assert "scaling-chart" not in page, "their sizes are not known"
    for n, run in enumerate(runs):
        sizes = {"model": {"parameters": 10 ** (6 + n)}}
        edit_run_file(run, lambda content, sizes=sizes: content.update(sizes))
    page = render_report(open_sources(runs))
    packed = data_of(page)["charts"]["scaling-chart"]["data"]["tasks"]
    sizes = {row[packed["columns"].index("parameters")] for row in packed["rows"]}
    assert sizes == {10**6, 10**7, 10**8}
    assert '<a href="#scaling">' in page


def test_what_it_took_is_told_with_the_tokens_saved(tmp_path: Path) -> None:
    page = render_report(open_sources([write_run(tmp_path / "run", tasks={"t/x": "T"})]))
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd><bdi>(.*?)</bdi></dd>", page))
    # Seven cells at 1.5 s of CPU, 100 tokens asked and 50 computed each.
    shown = {name: facts[name] for name in ("scoring cpu", "tokens asked", "tokens computed", "tokens saved")}
    assert shown == {
        "scoring cpu": "10.50 seconds",
        "tokens asked": "700",
        "tokens computed": "350",
        "tokens saved": "350 (50.0%)",
    }


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


def test_generated_answers_are_shown_with_their_text_also_where_no_option_was_found(tmp_path: Path) -> None:
    writer = ScriptedModel(write=lambda prompt, _: "It is <a-e>." if "dictionary" in prompt.text else "who knows?")
    reading_task.make_evaluation(writer, scoring="generate").run(tmp_path, self_test=False)
    page = render_report(open_sources([tmp_path]))
    assert 'Answers <bdi class="answer">a-e</bdi>: <span class="good">right</span>' in page
    assert 'No option was found in the text: <span class="bad">wrong</span>' in page
    assert '<pre class="text" dir="auto" tabindex="0">It is &lt;a-e&gt;.</pre>' in page
    assert "Probabilities are shares" not in page


def test_free_text_is_shown_next_to_its_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free_texts.register(monkeypatch)
    free_texts.make_evaluation().run(tmp_path, self_test=False)
    page = render_report(open_sources([tmp_path]))
    assert '<pre class="text" dir="auto" tabindex="0">No library today.</pre>' in page
    assert f'<pre class="text" dir="auto" tabindex="0">{free_texts.TEXTS[0]}</pre>' in page
