"""The tasks of the form: a sample of examples, descriptions, and worked examples that can be used."""

from __future__ import annotations

import pytest

from phraseproof.collect.preview import CHECKED_EXAMPLES, preview_of
from phraseproof.collect.records import Project, ProjectTask
from phraseproof.collect.web.form_tasks import form_tasks, sample_of, worked_example
from phraseproof.core import Example, Kind, Task
from phraseproof.tasks import load_tasks
from support.collect_tasks import tickets


def test_a_sample_has_the_fields_that_a_wording_may_name() -> None:
    task = tickets(with_answer=True)
    examples = (*task.examples * 9, Example("odd", {"message": "No time."}, ("a", "b"), (1.0, 0.0)))
    sample = sample_of(Task("t", Kind.MULTI_CLASS, "t", examples))
    assert len(sample.examples) == CHECKED_EXAMPLES
    assert set(sample.examples[0].fields) == {"message"}


def test_descriptions_are_the_owners_else_the_catalogues() -> None:
    loaded = {task.name: task for task in (*load_tasks(["everyday/tickets"]), tickets())}
    kept = (ProjectTask("everyday/tickets", "everyday/tickets"), ProjectTask("tickets", "t.yaml", "Mine.", "Say who."))
    first, second = form_tasks(Project("t", "CC0", kept), loaded)
    assert (first.number, first.description) == (1, "The team that handles a support ticket.")
    assert (second.number, second.description, second.worked_example) == (2, "Mine.", "Say who.")
    assert form_tasks(Project("t", "CC0", (ProjectTask("tickets", "t.yaml"),)), loaded)[0].description == ""


@pytest.mark.parametrize("kind", Kind)
def test_worked_examples_have_no_problems(kind: Kind) -> None:
    task = tickets(kind=kind)
    for shots in ("zero-shot", "few-shot"):
        assert preview_of(task, worked_example(task), shots).problems == ()
