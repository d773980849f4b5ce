"""Result files in the paper's release format become runs; what is wrong with them is said with file, line and field."""

import os
from pathlib import Path

import pytest

from phraseproof.analysis.grids import group_relations, load_grids
from phraseproof.core import Relation
from phraseproof.errors import FileError, NotEnoughDataError, RunError, UsageError
from phraseproof.evaluation.published import import_published, is_published, read_published
from phraseproof.store.queries import load_run

HEADER = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?\n"
ROWS = """\
M,Play_Dialog,NIV2,BC,1,0,0.5,Logits,TRUE
M,Play_Dialog,FLAN,BC,1,0,0.6,Logits,True
M,Play_Dialog,BBL,Unobserved,1,0,0.4,Logits,true
M,Winowhy,NIV2,BC,1,0,0.7,Logits,TRUE
M,Winowhy,BBL,Default,1,0,0.3,Logits,TRUE
M,Own Data,BBL,Negation,1,1,0.2,Logits,TRUE
M,Winowhy,BBL,Unobserved,2,0,0.9,Logits,FALSE
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, ROWS)


def write(folder: Path, rows: str, header: str = HEADER, name: str = "results.csv") -> Path:
    path = folder / name
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_rows_become_wordings_of_known_tasks_and_groups(file: Path):
    published = read_published([file])
    found = {(s.task, s.instruction): (s.category, s.group, s.num_fewshot, s.mean_score) for s in published.scores}
    play = "bbl/play_dialog_same_or_different"
    assert found == {
        (play, "NIV2/BC/1"): ("BBL-BC", "observed", 0, 0.5),
        (play, "FLAN/BC/1"): ("BBL-BC", "observed", 0, 0.6),
        (play, "BBL/Play_Dialog/Unobserved/1"): ("BBL-BC", "unobserved", 0, 0.4),
        ("bbl/winowhy", "NIV2/BC/1"): ("BBL-BC", "observed", 0, 0.7),
        ("bbl/winowhy", "BBL/Winowhy/Default/1"): ("BBL-BC", "unobserved", 0, 0.3),
        ("Own Data", "BBL/Own Data/Negation/1"): ("Own Data", "negated", 1, 0.2),
    }
    assert published.excluded == 1
    assert all(score.num_examples is None for score in published.scores)


def test_datasets_of_the_closer_look_are_known_tasks_unless_the_files_have_both(tmp_path: Path):
    closer = "M,Language_Identification_Adversial,BBL,Unobserved,1,0,0.5,L,TRUE\n"
    both = closer + "M,Language_Identification,BBL,Unobserved,1,0,0.7,L,TRUE\n"
    (alone,) = read_published([write(tmp_path, closer)]).scores
    assert (alone.task, alone.category) == ("bbl/language_identification", "BBL-MC")
    found = {score.task: score.mean_score for score in read_published([write(tmp_path, both)]).scores}
    assert found == {"Language_Identification_Adversial": 0.5, "bbl/language_identification": 0.7}


def test_designers_may_stand_apart(file: Path):
    assert {score.group for score in read_published([file], designers_apart=True).scores} == {
        "observed",
        "unobserved",
        "task_designer",
        "negated",
    }


def test_a_wording_that_stands_there_twice_counts_once_with_its_mean(tmp_path: Path):
    path = write(tmp_path, "M,Winowhy,NIV2,BC,1,0,0.5,L,TRUE\nM,Winowhy,NIV2,BC,1,0,0.7,L,TRUE\n")
    published = read_published([path])
    (score,) = published.scores
    assert score.mean_score == pytest.approx(0.6)
    assert published.repeated == ("Winowhy: NIV2/BC/1",)


def test_the_run_holds_what_was_read_and_says_what_it_lacks(file: Path, tmp_path: Path):
    published = read_published([file])
    run = import_published(published, tmp_path / "run", parameters=3_000_000_000)
    assert run.wording_scores() == list(published.scores)
    assert run.groups == ("observed", "unobserved", "negated")
    assert (run.accuracies, run.missing, run.model_parameters) == (tuple(published.scores), (), 3_000_000_000)
    assert group_relations(run)["negated"] is Relation.NEGATED
    assert all(grid.scores is None for grid in load_grids(run))
    for ask in (run.outcomes, lambda: list(run.read_cells(["score"]))):
        with pytest.raises(NotEnoughDataError, match="no outcomes of examples"):
            ask()


def test_more_files_of_the_same_model_add_to_a_run_and_others_do_not(tmp_path: Path):
    first = read_published([write(tmp_path, "M,Winowhy,NIV2,BC,1,0,0.5,L,TRUE\n", name="a.csv")])
    more = read_published([write(tmp_path, "M,MMLU_General,NIV2,QA,1,0,0.6,L,TRUE\n", name="b.csv")])
    other = read_published([write(tmp_path, "N,MMLU_General,NIV2,QA,1,0,0.6,L,TRUE\n", name="c.csv")])
    out = tmp_path / "run"
    import_published(first, out)
    import_published(more, out)
    import_published(more, out)
    assert [score.task for score in load_run(out).wording_scores()] == ["bbl/winowhy", "mmlu"]
    with pytest.raises(RunError, match="model"):
        import_published(other, out)


def test_one_of_several_models_is_chosen_by_name(tmp_path: Path):
    path = write(tmp_path, "M,Winowhy,NIV2,BC,1,0,0.5,L,TRUE\nN,Winowhy,NIV2,BC,1,0,0.7,L,TRUE\n")
    assert [score.mean_score for score in read_published([path], model="N").scores] == [0.7]
    with pytest.raises(UsageError, match="several models"):
        read_published([path])
    with pytest.raises(UsageError, match="no row is of that model"):
        read_published([path], model="O")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("M,Winowhy,NIV2,BC,1,0,55.0,L,TRUE", "results.csv:2, Performance: not an accuracy"),
        ("M,Winowhy,NIV2,BC,1,0,nan,L,TRUE", "not an accuracy"),
        ("M,Winowhy,NIV2,BC,1,0,,L,TRUE", "not an accuracy"),
        ("M,Winowhy,NIV2,BC,1,few,0.5,L,TRUE", "results.csv:2, Shots"),
        ("M,Winowhy,NIV2,BC,1,-1,0.5,L,TRUE", "Shots"),
        ("M,Winowhy,,BC,1,0,0.5,L,TRUE", "results.csv:2, Collection"),
        ("M,Winowhy,NIV2", "results.csv:2: a row is not as long as the header"),
        ("M,Winowhy,NIV2,BC,1,0,0.5,L,TRUE,more", "not as long as the header"),
    ],
)
def test_a_bad_row_is_named_by_line_and_field(tmp_path: Path, row: str, words: str):
    with pytest.raises(FileError, match=words):
        read_published([write(tmp_path, row + "\n")])


def test_what_is_no_result_file_is_refused(tmp_path: Path):
    with pytest.raises(FileError, match="no column 'Model'"):
        read_published([write(tmp_path, "1,2\n", header="a,b\n")])
    with pytest.raises(FileError, match="cannot be read"):
        read_published([tmp_path / "nowhere.csv"])
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError):
        read_published([tmp_path / "binary.csv"])
    with pytest.raises(FileError, match="no results"):
        read_published([write(tmp_path, "")])
    with pytest.raises(FileError, match="which model"):
        read_published([write(tmp_path, " ,Winowhy,NIV2,BC,1,0,0.5,L,TRUE\n")])
    with pytest.raises(UsageError, match="no row"):
        read_published([write(tmp_path, "M,Winowhy,NIV2,BC,1,0,0.5,L,FALSE\n")])


def test_the_format_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("Model,Dataset,Collection,Type,ID,Shots,Performance\n", encoding="utf-8")
    assert is_published(path)
    path.write_text("Model,Dataset\n", encoding="utf-8")
    assert not is_published(path)
    assert not is_published(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    assert not is_published(tmp_path / "pipe.csv")
