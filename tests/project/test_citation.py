"""CITATION.cff has the fields that version 1.2.0 of the format requires, and says what the package says."""

from __future__ import annotations

import re

import phraseproof
from support.project_files import pyproject, read_yaml


def test_the_citation_is_complete_and_of_this_version() -> None:
    cited = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert str(cited["version"]) == phraseproof.__version__
    assert cited["license"] == pyproject()["project"]["license"]


def test_the_paper_is_a_reference_with_its_authors() -> None:
    (paper,) = read_yaml("CITATION.cff")["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert all({"family-names", "given-names"} <= author.keys() for author in paper["authors"])
    assert re.search(r"2306\.11270$", paper["url"])
