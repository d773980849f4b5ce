"""Defaults of studies are those of the model's family."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.instructions.collections import load_collection
from phraseproof.studies.material import material_of
from phraseproof.tasks import load_tasks


def test_the_pocket_brings_everything_that_it_names() -> None:
    material = material_of("pocket/tiny")
    tasks = load_tasks([*material.tasks, *material.text_tasks])
    assert len(tasks) == 26
    for names in (material.unobserved, *material.closer.values(), material.text_observed, material.text_unobserved):
        for name in names:
            assert load_collection(name).instructions


def test_other_models_get_the_benchmarks_of_the_paper() -> None:
    material = material_of("google/flan-t5-base")
    assert material.tasks == ("mmlu", "bbl")
    assert material.observed == ("auto",)
    assert material.unobserved == ("composed", "task_designer")
    assert tuple(material.closer) == (
        "closest", "incorrect", "collected", "task_designer", "negated", "nonsensical",
    )  # fmt: skip
    assert material.limit is None


def test_the_papers_own_wordings_are_used_where_they_were_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paper-unobserved.yaml").write_text("name: paper-unobserved\ninstructions: []\n", encoding="utf-8")
    (tmp_path / "paper-closest.yaml").write_text("name: paper-closest\ninstructions: []\n", encoding="utf-8")
    monkeypatch.setenv("PHRASEPROOF_INSTRUCTIONS", str(tmp_path))
    material = material_of("google/flan-t5-base")
    assert material.unobserved == ("paper-unobserved", "task_designer")
    assert material.closer["closest"] == ("paper-closest",)
    assert material.closer["negated"] == ("closer-look-negated",)
