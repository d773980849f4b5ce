"""The Dockerfile copies what a build of the package needs, and nothing that .dockerignore keeps out."""

from __future__ import annotations

import re
from fnmatch import fnmatch

from support.project_files import ROOT, pyproject, python_versions

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _copied() -> set[str]:
    """What is copied from the repository."""
    lines: list[str] = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return {source.removeprefix("./") for line in lines for source in line.split()[:-1]}


def _argument(name: str) -> str:
    found = re.search(rf"^ARG {name}=(.*)$", DOCKERFILE, re.MULTILINE)
    assert found
    return found[1]


def _is_ignored(name: str) -> bool:
    """By the rules of .dockerignore: the last pattern that fits counts, `!` takes a file back."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fnmatch(name, line.removeprefix("!")):
            ignored = not line.startswith("!")
    return ignored


def test_what_is_copied_is_there_and_not_ignored() -> None:
    for name in _copied():
        assert (ROOT / name).exists(), name
        assert not _is_ignored(name), name
    assert _is_ignored("tests")
    assert _is_ignored(".git")


def test_a_build_has_the_files_that_it_reads() -> None:
    project = pyproject()["project"]
    assert {project["readme"], *project["license-files"], "pyproject.toml", "src", "constraints.txt"} == _copied()


def test_the_python_and_the_extras_exist() -> None:
    assert _argument("PYTHON") in python_versions()
    assert set(_argument("EXTRAS").split(",")) <= pyproject()["project"]["optional-dependencies"].keys()


def test_the_program_is_started_by_a_user_without_rights() -> None:
    after = DOCKERFILE.rpartition("USER phraseproof")[2]
    assert 'ENTRYPOINT ["phraseproof"]' in after
    assert "RUN" not in after
