"""`phraseproof instructions perturb`: files that can be used, and lists of what could not be done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.core import Relation
from phraseproof.instructions.collections import load_collection

WORDINGS = """\
name: mine
for: tickets
author: Ada
instructions:
  - id: pick
    ask: Pick the team that should answer.
    layout: "Message: {{ message }}\\n{{ choices | enumerate }}\\nTeam:"
  - {id: odd, ask: "Team?", layout: "{{ message }}"}
"""


@pytest.fixture
def wordings(tmp_path: Path) -> Path:
    path = tmp_path / "wordings.yaml"
    path.write_text(WORDINGS, encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["instructions", "perturb", *map(str, arguments)])
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


def test_negated(wordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = wordings.with_name("negated.yaml")
    code, printed, _ = run(capsys, wordings, "--negate", "--out", out)
    assert code == 4
    assert "mine/odd: no rule finds the place of a negation in its question" in printed
    (made,) = load_collection(str(out)).instructions
    assert (made.name, made.ask) == ("negated/pick~negated", "Do not pick the team that should answer.")
    assert (made.relation, made.author, made.serves) == (Relation.NEGATED, "Ada", ("tickets",))


def test_nonsensical_by_seed_and_of_ones_own(wordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = wordings.with_name("nonsense.yaml")
    code, _, _ = run(capsys, wordings, "--nonsensical", "--seed", "3", "--out", out, "--name", "nonsense-3")
    assert code == 0
    first = out.read_text()
    run(capsys, wordings, "--nonsensical", "--seed", "3", "--out", out, "--name", "nonsense-3")
    assert out.read_text() == first
    assert {each.relation for each in load_collection(str(out)).instructions} == {Relation.NONSENSICAL}
    own = wordings.with_name("own.txt")
    own.write_text("A hat is {{ not }} a cat.\n\n")
    run(capsys, wordings, "--nonsensical", "--sentences", own, "--out", out)
    assert {each.ask for each in load_collection(str(out)).instructions} == {'A hat is {{ "{" }}{ not }} a cat.'}


def test_formats(wordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = wordings.with_name("formats.yaml")
    code, printed, _ = run(capsys, wordings, "--format", "3", "--out", out, "--json")
    assert code == 0
    found = json.loads(printed)
    assert found["made"] == [f"{name}~format-{number}" for name in ("pick", "odd") for number in (1, 2, 3)]
    assert [each.id for each in load_collection(str(out)).instructions] == found["made"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "a.yaml"], "exactly one of --negate, --nonsensical and --format N is required"),
        (
            ["--negate", "--format", "2", "--out", "a.yaml"],
            "exactly one of --negate, --nonsensical and --format N is required",
        ),
        (["--negate", "--out", "a.txt"], "a name that ends in .yaml"),
        (["--negate", "--out", "a.yaml", "--name", "a/b"], "a name without a slash"),
        (["--format", "0", "--out", "a.yaml"], "at least one variant is needed"),
        (["--negate", "--sentences", "a.txt", "--out", "a.yaml"], "--sentences requires --nonsensical"),
        (["--nonsensical", "--sentences", "gone.txt", "--out", "a.yaml"], "no such file"),
    ],
)
def test_bad_input_is_one_line(
    wordings: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, printed, errors = run(capsys, wordings, *arguments)
    assert (code, printed) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("out", ["taken.yaml", "wordings.yaml/new.yaml"])
def test_a_place_that_cannot_be_written_is_one_line(
    wordings: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    (wordings.parent / "taken.yaml").mkdir()
    code, printed, errors = run(capsys, wordings, "--format", "1", "--out", wordings.parent / out)
    assert (code, printed, errors.count("\n")) == (2, "", 1)
    assert "cannot be written" in errors
    assert [path.name for path in wordings.parent.iterdir() if path.name.startswith(".")] == []
