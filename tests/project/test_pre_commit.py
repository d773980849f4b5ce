"""The hooks are the checks of `make check`, by the programs in .venv; nothing is fetched."""

from __future__ import annotations

import re

from support.project_files import ROOT, read_yaml


def test_hooks_are_the_local_programs_of_make_check() -> None:
    (local,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", rules, re.MULTILINE)
    assert check
    programs = set(re.findall(r"\$\(BIN\)/([\w-]+)", check[1]))
    assert programs == {"ruff", "pyright", "lint-imports"}
    assert {hook["entry"].split()[0] for hook in local["hooks"]} == {f".venv/bin/{name}" for name in programs}
    assert any("ruff format --check" in hook["entry"] for hook in local["hooks"])
