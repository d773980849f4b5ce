"""What the pages say, as HTML: numbers, links with their state, hostile texts."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.reports.build.text import printable
from phraseproof.viewer.folder import ViewedFolder
from phraseproof.viewer.library import Library
from phraseproof.viewer.pages import LONGEST_TEXT, ViewerPages, cut
from phraseproof.viewer.state import PageState
from support.report_runs import HOSTILE, write_run
from support.run_files import edit_run_file
from support.viewed_runs import RIGHT, write_options_run, write_texts_run


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> ViewerPages:
    folder = tmp_path_factory.mktemp("pages") / "runs"
    write_options_run(folder / "one", prompts=True, more={"u": RIGHT})
    write_options_run(folder / "two", {**RIGHT, "w/a": (0, 0, 0, 0)})
    write_texts_run(folder / "texts", {"w/a": ("the cat sat", "<b>dog</b>")})
    write_options_run(folder / "started", unfinished=list(RIGHT))
    (folder / "damaged").mkdir()
    (folder / "damaged" / "run.json").write_text("{")
    return ViewerPages(ViewedFolder(folder), Library())


def words(page: str) -> str:
    """The text of a page's content, white space as single spaces."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def test_runs_and_damaged_ones(pages: ViewerPages) -> None:
    found = words(pages.runs(PageState()))
    assert "one m 2 3 6 loglikelihood" in found
    assert "started m 1 3 0 of 3 loglikelihood" in found
    assert "damaged run.json is damaged" in found
    assert "one m" not in words(pages.runs(PageState(q="TEXT")))


def test_tasks_of_a_run(pages: ViewerPages) -> None:
    assert "t c 0 3 4 58.3 50.0 75.0 examples" in words(pages.run(PageState(run="one")))


def test_wordings_of_a_task(pages: ViewerPages) -> None:
    found = words(pages.run(PageState(run="one", task="t")))
    assert "1 w/a Wording w/a: {{ question }} observed 75.0 30.1 to 95.4 4" in found
    assert "2 w/c Wording w/c: {{ question }} unobserved, negated 50.0 15.0 to 85.0 4" in found


def test_the_grid(pages: ViewerPages) -> None:
    page = pages.examples(PageState(run="two", sort="plan", by="plan"))
    assert "e1 yes 33.3 ✗ B ✓ A ✗ B e2 no 0.0 ✗ A ✗ A ✗ A" in words(page)
    assert 'href="/example?run=two&amp;task=t&amp;shots=0' in page
    assert "example=e1&amp;wording=w/b" in page


def test_texts_in_the_grid_and_on_their_page(pages: ViewerPages) -> None:
    grid = words(pages.examples(PageState(run="texts", sort="plan")))
    assert "e1 Prompt 1 of w/a the cat sat 0.0 ✗" in grid
    assert "A letter is" not in grid
    page = pages.example(PageState(run="texts", example="e1"))
    assert "&lt;b&gt;dog&lt;/b&gt;" in page
    assert "Cut at the maximum number of tokens." in page
    assert "Prompt 1 of w/a" in page


def test_an_example(pages: ViewerPages) -> None:
    found = words(pages.example(PageState(run="one", example="e2")))
    assert "A: yes 2 wordings B: no 1 wording" in found
    assert "✓ right: no" in found
    assert "no chosen right -0.250 77.7" in found
    assert "Is 2 odd? w/a 7 tokens." in found


def test_two_runs(pages: ViewerPages) -> None:
    found = words(pages.compare(PageState(run="one", other="two")))
    assert (
        "58.3% before, 33.3% after, over 12 outcomes of each run. 3 answers differ; 3 became worse, 0 better." in found
    )
    assert "w/a observed 75.0 0.0 -75.0 3 of 4 3 0" in found
    assert "e1 under w/a Expected: yes Before: one ✓ right: yes" in found


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (PageState(run="none"), "no run of this name"),
        (PageState(run="../one"), "no run of this name"),
        (PageState(run="damaged"), "run.json is damaged"),
        (PageState(run="started"), "no complete cell yet"),
        (PageState(run="one", scoring="x"), "holds no outcomes of the scoring method"),
    ],
)
def test_what_cannot_be_shown_is_one_line(pages: ViewerPages, state: PageState, problem: str) -> None:
    with pytest.raises(RunError, match=problem):
        pages.examples(state)


def test_a_task_with_several_numbers_of_demonstrations_has_a_choice_of_them(tmp_path: Path) -> None:
    write_run(tmp_path / "run", tasks={"t": "c"}, shots=(0, 2), groups={"observed": 2}, examples=3)
    pages = ViewerPages(ViewedFolder(tmp_path / "run"), Library())
    state = PageState(run=".", task="t", shots=2)
    for page in (pages.run(state), pages.examples(state), pages.compare(state.having(other="."))):
        assert '<option value="2" selected>2</option>' in page


def test_two_runs_say_in_what_they_differ(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "one", tasks={"t": "c"}, examples=3)
    edit_run_file(
        write_run(tmp_path / "runs" / "two", tasks={"t": "c"}, examples=3),
        lambda content: content["settings"].update(prompt_format="<i>chat</i>"),
    )
    pages = ViewerPages(ViewedFolder(tmp_path / "runs"), Library())
    page = pages.compare(PageState(run="one", other="two"))
    assert "1 setting differs: prompt_format setting before after prompt_format plain <i>chat</i>" in words(page)
    assert "<i>" not in page
    assert "differs:" not in words(pages.compare(PageState(run="one", other="one")))


def test_an_example_or_task_that_is_not_there(pages: ViewerPages) -> None:
    with pytest.raises(RunError, match="no such example"):
        pages.example(PageState(run="one", example="e9"))
    with pytest.raises(RunError, match="no task in common"):
        pages.compare(PageState(run="one", other="texts"))


def test_an_unfinished_run_says_so(tmp_path: Path) -> None:
    write_options_run(tmp_path / "run", unfinished=["w/c"])
    pages = ViewerPages(ViewedFolder(tmp_path / "run"), Library())
    assert "1 of 3 cells are not complete yet" in words(pages.examples(PageState(run=".")))


def test_hostile_texts_are_seen_and_do_not_act(tmp_path: Path) -> None:
    write_run(
        tmp_path / "run", names=HOSTILE, prompts=True, groups={"observed": len(HOSTILE)}, tasks={"t": "c"}, examples=3
    )
    pages = ViewerPages(ViewedFolder(tmp_path / "run"), Library())
    state = PageState(run=".", q=HOSTILE[2], base=HOSTILE[0])
    shown = [
        pages.run(state.having(q="")),
        pages.examples(state.having(q="", cols=1)),
        pages.example(state.having(example="e001")),
        pages.compare(state.having(other=".", show="answers", q="")),
        pages.examples(state),
        pages.refused(HOSTILE[1], HOSTILE[2]),
    ]
    for page in shown:
        assert page.count("<script") == 2
        assert "<img" not in page
    for name in HOSTILE[:6]:
        assert printable(name)[:40] in words(shown[2])


def test_long_texts_are_cut_and_say_so() -> None:
    assert cut("a\x00b") == "a\\x00b"
    assert cut("x" * (LONGEST_TEXT + 5)).endswith("x\n… 5 more characters, which are in the run's files")
