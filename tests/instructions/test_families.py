"""Families: what a model was tuned on, by its name, and where these wordings are."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError, UsageError
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.instructions import families
from phraseproof.instructions.collections import load_collection, own_collections

WORDINGS = "name: {name}\ninstructions:\n  - {{id: a, template: '{{{{ question }}}}', answer: text}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PHRASEPROOF_INSTRUCTIONS", raising=False)
    (tmp_path / "instructions").mkdir()
    return tmp_path / "instructions"


def put(folder: Path, name: str, *, in_folder: bool = False) -> None:
    path = folder / name / "one.yaml" if in_folder else folder / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(WORDINGS.format(name=name), encoding="utf-8")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("google/flan-t5-xl", "Flan-T5"),
        ("google/flan-ul2", "Flan-T5"),
        ("/models/Flan-T5-Base/", "Flan-T5"),
        ("C:\\models\\flan-t5-small", "Flan-T5"),
        ("bigscience/T0pp", "T0"),
        ("bigscience/T0_3B", "T0"),
        ("chavinlo/alpaca-native", "Alpaca"),
        ("tatsu-lab/alpaca-7b-wdiff", "Alpaca"),
        ("pocket", "pocket"),
        ("pocket/small", "pocket"),
        ("google/t5-v1_1-xl", None),
        ("alpaca/llama-7b", None),
        ("org/not0", None),
        ("meta-llama/Llama-2-7b", None),
    ],
)
def test_names_tell_families(model: str, name: str | None) -> None:
    family = families.family_of(model)
    assert (family and family.name) == name


def test_observed_wordings_are_found_in_the_users_folder(folder: Path) -> None:
    put(folder, "flan", in_folder=True)
    put(folder, "p3")
    assert [each.name for each in families.observed_by("google/flan-t5-base")] == ["flan"]
    assert [each.name for each in families.observed_by("bigscience/T0")] == ["p3"]
    assert load_collection("p3").instructions[0].name == "p3/a"
    assert set(own_collections()) == {"flan", "p3"}


def test_another_folder_can_be_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "elsewhere", "alpaca")
    monkeypatch.setenv("PHRASEPROOF_INSTRUCTIONS", str(tmp_path / "elsewhere"))
    assert families.observed_by("alpaca-7b")[0].path == tmp_path / "elsewhere" / "alpaca.yaml"


def test_a_collection_that_is_not_there_names_the_import(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        families.observed_by("google/flan-t5-base")
    assert "the collection 'flan', which models of the family Flan-T5 were tuned on, is not there" in str(caught.value)
    assert "Import it: phraseproof instructions import flan" in str(caught.value)


def test_an_unknown_family_says_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        families.observed_by("org/some-model")
    assert "the wordings that 'org/some-model' was tuned on are unknown" in str(caught.value)
    assert "families.yaml" in str(caught.value)


def test_users_declare_families_of_their_own(folder: Path) -> None:
    put(folder, "ours")
    put(folder, "flan")
    (folder / "families.yaml").write_text(
        "families:\n  - {models: 'org/Support-*', observed: ours}\n"
        "  - {name: mine, models: [flan-t5-mine], observed: [ours, flan]}\n",
        encoding="utf-8",
    )
    assert [each.name for each in families.observed_by("org/support-2")] == ["ours"]
    assert [each.name for each in families.observed_by("google/flan-t5-mine")] == ["ours", "flan"]
    assert [each.name for each in families.observed_by("google/flan-t5-base")] == ["flan"]
    assert "families" not in own_collections()


def test_a_wrong_file_of_families_is_one_line(folder: Path) -> None:
    (folder / "families.yaml").write_text("families:\n  - {models: [], observed: [x]}\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"families.yaml:2"):
        families.family_of("x")


def test_a_file_and_a_folder_of_one_name_are_not_chosen_between(folder: Path) -> None:
    put(folder, "flan")
    put(folder, "flan", in_folder=True)
    with pytest.raises(UsageError, match="have the same name"):
        load_collection("flan")


def test_auto_in_an_evaluation(tmp_path: Path, folder: Path) -> None:
    put(folder, "guessed")
    (folder / "families.yaml").write_text("families:\n  - {models: scripted, observed: guessed}\n", encoding="utf-8")
    (tmp_path / "t.csv").write_text("question,team\na,x\nb,y\n", encoding="utf-8")
    task = tmp_path / "t.yaml"
    task.write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [x, 'y']\nanswer: team\n", encoding="utf-8")
    evaluation = resolve(EvaluationRequest.of("scripted", str(task), {"observed": "auto"}))
    assert {job.cell.instruction for job in evaluation.planned} == {"guessed/a"}
