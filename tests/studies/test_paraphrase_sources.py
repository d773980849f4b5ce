"""`paraphrase-sources`: length and similarity of the paraphrases of each source."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.paraphrase_sources import ParaphraseSources, describe_sources
from phraseproof.studies.study import StudyRequest

SEEDS = """
name: seeds
instructions:
  - {id: a, for: binary, ask: "Say which answer is right:", layout: "{{ question }}", answer: text}
  - {id: b, for: binary, ask: "Is it so?", layout: "{{ question }}", answer: text}
"""
SHORT = """
name: short
instructions:
  - {id: a~1, for: binary, ask: "Which answer is right:", layout: "{{ question }}", answer: text}
  - {id: b~1, for: binary, ask: "Is that so?", layout: "{{ question }}", answer: text}
"""
COPY = """
name: copy
instructions:
  - {id: a~1, for: binary, ask: "SAY which answer is right!", layout: "{{ question }}", answer: text}
"""


def request(folder: Path) -> StudyRequest:
    for name, text in (("seeds", SEEDS), ("short", SHORT), ("copy", COPY)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = {name: (str(folder / f"{name}.yaml"),) for name in ("seeds", "short", "copy")}
    groups = {"observed": files["seeds"], "brief": files["short"], "copied": files["copy"]}
    return StudyRequest(instructions=groups, out=folder / "out")


def test_every_other_group_is_a_source_and_is_compared_with_the_observed_wordings(tmp_path: Path) -> None:
    exhibit = carry_out(ParaphraseSources(), request(tmp_path))
    own, paper = exhibit.tables
    # Pairs of words: a 3 of 4 and 3, so 6/7; b "is that", "that so" share none with "is it", "it so".
    assert [row[0] for row in own.rows] == ["brief", "copied"]
    assert own.rows[0][2:] == ("2", "3.5 ± 0.7", "42.9 ± 60.6")
    assert own.rows[1][2:] == ("1", "5.0", "100.0")
    (similarity,) = exhibit.results.select(group="brief", statistic="ROUGE-2 with the seed")
    assert (similarity.estimate, similarity.unit) == (pytest.approx(100 * 3 / 7), "%")
    assert paper.rows[-1] == ("GPT-4", "165 ± 76", "45.8 ± 39.1")
    assert not [line for line in own.lines if "do not name their seed" in line]


def test_the_pocket_has_three_sources_of_its_own() -> None:
    found = describe_sources(StudyRequest(models=("pocket",)))
    assert [(each.name, each.found.wordings) for each in found] == [("other-words", 36), ("longer", 78), ("known", 36)]


def test_sources_and_the_wordings_they_paraphrase_must_be_named() -> None:
    with pytest.raises(UsageError, match="no source of paraphrases is named"):
        describe_sources(StudyRequest(models=("some/model",)))
    with pytest.raises(UsageError, match="the wordings that are paraphrased are not named"):
        describe_sources(StudyRequest(instructions={"mine": ("pocket-test",)}))
