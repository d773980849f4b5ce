"""`collect export` writes what `evaluate` takes, and says what is not in it."""

from __future__ import annotations

import json
from pathlib import Path

from phraseproof.collect.store import CollectStore
from phraseproof.instructions.collections import load_collection

from .conftest import Collect


def test_a_collection_and_what_is_not_in_it(collect: Collect, opened: CollectStore, tmp_path: Path) -> None:
    out = tmp_path / "people.yaml"
    done = collect("export", "-o", out)
    assert (done.code, out.exists()) == (2, False)
    assert "no wording can be exported" in done.err
    for wording in opened.wordings(status="submitted"):
        opened.accept(wording.id, by="boss")
    opened.edit(opened.wordings()[0].id, "{{ massage }}", by="boss")
    done = collect("export", "-o", out)
    warning, *notes = done.err.splitlines()
    assert warning.startswith("warning: tickets, zero-shot 1, Ada is left out: wording 'tickets-zero-shot-Ada-1' needs")
    assert notes == [
        f"note: wrote {out}: 1 wording by 1 author",
        "note: 1 accepted few-shot wording is not in this file; see --kind",
    ]
    assert [each.name for each in load_collection(str(out)).instructions] == ["people/tickets-zero-shot-Ada-2"]
    done = collect("export", "-o", out, "--kind", "both", "--name", "ours")
    assert done.err.splitlines()[-1] == (
        "note: 1 few-shot wording was written for prompts with solved examples: evaluate with --num-fewshot"
    )
    assert [each.name for each in load_collection(str(out)).instructions] == [
        "ours/tickets-zero-shot-Ada-2",
        "ours/tickets-few-shot-Ada-1",
    ]


def test_everything(collect: Collect, tmp_path: Path) -> None:
    assert collect("export", "--everything", "-o", tmp_path / "all.json").code == 0
    assert len(json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["wordings"]) == 4
    done = collect("export", "--everything", "--person", "ben", "-o", tmp_path / "ben.json")
    assert (
        done.err
        == f"note: wrote {tmp_path / 'ben.json'}: all that the project holds of Ben, except what links are made of\n"
    )
    text = (tmp_path / "ben.json").read_text(encoding="utf-8")
    assert [each["text"] for each in json.loads(text)["wordings"]] == ["A draft"]
    assert "Ada" not in text
    done = collect("export", "--person", "Ben", "-o", tmp_path / "x.yaml")
    assert (done.code, done.err) == (2, "error: --person requires --everything\n")
