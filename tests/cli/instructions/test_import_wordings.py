"""`phraseproof instructions import`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from phraseproof.cli.instructions import app
from phraseproof.errors import FileError, UsageError
from phraseproof.instructions.collections import load_collection

TEMPLATES = """\
dataset: shop
templates:
  1-a: !Template
    answer_choices: bad ||| good
    jinja: '{{ text }} Good? ||| {{ answer_choices[label] }}'
    name: asked
  2-b: !Template
    answer_choices: null
    jinja: 'No bars {{ text }}'
    name: barless
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "templates" / "shop" / "templates.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(TEMPLATES, encoding="utf-8")
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_some_could_not_be_represented(checkout: Path) -> None:
    result = run("promptsource", checkout)
    assert result.exit_code == 4
    assert result.stdout == f"p3: 1 wording in {Path('instructions/p3')}\n"
    assert "1 file read, 1 wording cannot be represented:" in result.stderr
    assert "1  it has no |||, so it gives no answer" in result.stderr
    assert "shop/barless" in result.stderr
    assert [each.name for each in load_collection("p3").instructions] == ["p3/shop/asked"]


def test_all_of_them(checkout: Path) -> None:
    result = run("promptsource", checkout, "--only", "*/asked", "--for", "tickets", "--name", "mine", "--out", "kept")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "1 file read, every wording imported" in result.stdout
    (wording,) = load_collection(str(checkout / "kept" / "mine")).instructions
    assert (wording.name, wording.serves) == ("mine/shop/asked", ("tickets",))


def test_one_name_that_is_too_long(checkout: Path) -> None:
    """Data set names become file names: "shop/" and 300 letters are more than a file system takes."""
    path = checkout / "templates" / "long" / "templates.yaml"
    path.parent.mkdir()
    path.write_text(TEMPLATES.replace("shop", "shop/" + "x" * 300), encoding="utf-8")
    result = run("promptsource", checkout)
    assert result.exit_code == 4
    assert "the name of its file is longer than 255 bytes" in result.stderr
    assert "x" * 90 in result.stderr
    assert [each.name for each in load_collection("p3").instructions] == ["p3/shop/asked"]


def test_as_json(checkout: Path) -> None:
    result = run("promptsource", checkout, "--json", "--field", "text=message")
    value = json.loads(result.stdout)
    assert result.exit_code == 4
    assert value["imported"][0]["wordings"] == ["shop/asked"]
    assert value["refused"][0]["name"] == "shop/barless"
    assert value["refused"][0]["where"].endswith("templates.yaml:7")
    assert "message" in (load_collection("p3").instructions[0].template or "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["flann", "."], "no source of wordings is called 'flann'"),
        (["promptsource", "gone"], "no such file or folder"),
        (["flan", "."], "no FLAN templates in this folder"),
        (["promptsource", ".", "--name", "composed"], "the name 'composed' is taken"),
        (["promptsource", ".", "--name", "a/b"], "not a collection's name"),
        (["promptsource", ".", "--field", "text"], "not two names of a field"),
        (["promptsource", ".", "--only", "nothing*"], "no wording matches"),
    ],
)
def test_what_is_wrong_is_one_error(checkout: Path, arguments: list[str], said: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, UsageError | FileError)
    assert said in str(error)


def test_a_place_that_cannot_be_written_to(checkout: Path) -> None:
    (checkout / "full").write_text("", encoding="utf-8")
    error = run("promptsource", checkout, "--out", "full").exception
    assert isinstance(error, FileError)
    assert "cannot be written" in str(error)
