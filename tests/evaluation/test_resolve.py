"""Resolving: names become tasks, wordings and a model, or one line says which of them cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.evaluate import evaluate, forecast
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import load_wordings, resolve
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.store.queries import load_run
from phraseproof.tasks import load_tasks
from support import free_texts
from support.growing_run import EXAMPLES, WORDINGS, Listener, Model, Unreachable, make_task
from support.parity_project import write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=4, wordings=3)


def test_a_spec_and_objects_are_the_same_evaluation(project: Path) -> None:
    task, wordings = project / "task.yaml", project / "wordings.yaml"
    named = resolve(EvaluationSpec().with_changes(model="scripted", tasks=task, instructions={"mine": wordings}))
    objects = EvaluationRequest.of("scripted", load_tasks([str(task)]), {"mine": load_collection(str(wordings))})
    assert len(named.planned) == 3
    assert [each.cell for each in resolve(objects).planned] == [each.cell for each in named.planned]


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "python:mine"), ("tasks", ["python:mine"]), ("instructions", {"mine": ["python:mine"]})],
)
def test_an_object_that_a_file_names_is_gone(project: Path, field: str, value: object) -> None:
    spec = EvaluationSpec().with_changes(
        model="scripted", tasks=project / "task.yaml", instructions={"mine": project / "wordings.yaml"}
    )
    with pytest.raises(UsageError, match=f"--{field}: 'mine' was given as a Python object"):
        resolve(spec.with_changes(**{field: value}))


def test_wordings_are_named_in_several_forms(project: Path) -> None:
    path = project / "wordings.yaml"
    (first,) = load_wordings(path)
    assert load_wordings(str(path)) == load_wordings([first]) == load_wordings(first) == [first]
    assert [found.name for found in load_wordings("pocket-test, pocket-observed")] == ["pocket-test", "pocket-observed"]


def test_a_system_prompt_is_given_to_wordings_that_have_none(project: Path) -> None:
    collection = project / "own.yaml"
    collection.write_text(
        "name: own\ninstructions:\n"
        "- {id: with, system: 'Mine.', template: '{{ item }}', answer: letter}\n"
        "- {id: without, template: '{{ item }}', answer: letter}\n",
        encoding="utf-8",
    )
    spec = EvaluationSpec().with_changes(
        model="scripted", tasks=project / "task.yaml", instructions={"g": collection}, system="Use {{ braces }}."
    )
    evaluation = resolve(spec)
    first = {each.cell.instruction: evaluation.prompts(each)[0].text for each in evaluation.planned}
    assert first["own/with"].startswith("Mine.\n\n")
    assert first["own/without"].startswith("Use {{ braces }}.\n\n")
    plain = resolve(spec.with_changes(system=None))
    same = {each.cell.instruction: each.cell.identity for each in plain.planned}
    changed = {each.cell.instruction: each.cell.identity for each in evaluation.planned}
    assert same["own/with"] == changed["own/with"]
    assert same["own/without"] != changed["own/without"]
    with pytest.raises(UsageError, match="the system prompt is empty"):
        resolve(spec.with_changes(system=" "))


def labelled(folder: Path) -> EvaluationSpec:
    rows = "".join(f"text {n},{'rare' if n < 2 else 'common'}\n" for n in range(40))
    (folder / "rows.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    (folder / "labelled.yaml").write_text(
        "name: labelled\nkind: multi_class\ndata: rows.csv\nfields: {item: text}\nchoices: [common, rare]\n"
        "answer: label\n",
        encoding="utf-8",
    )
    return EvaluationSpec().with_changes(
        model="scripted", tasks=folder / "labelled.yaml", instructions={"g": folder / "wordings.yaml"}, limit=20
    )


def test_a_run_that_was_begun_with_random_samples_continues_so(project: Path) -> None:
    spec = labelled(project)
    out = project / "run"
    begun = resolve(spec.with_changes(sample="random"), out=out)
    begun.run(out)
    larger = resolve(spec.with_changes(limit=30), out=out)
    assert larger.settings.sample == "random"
    assert {e.id for e in begun.tasks[0].examples} <= {e.id for e in larger.tasks[0].examples}
    assert resolve(spec, out=project / "other").settings.sample == "stratified"


@pytest.mark.parametrize("scoring", ["loglikelihood,loglikelihood_norm", ["loglikelihood", "loglikelihood_norm"]])
def test_two_scorings_need_one_pass(tmp_path: Path, scoring: str | list[str]) -> None:
    task, model = make_task(), Model()
    collection = Collection("mine", WORDINGS)
    run = evaluate(model, task, {"g": collection}, tmp_path / "run", scoring=scoring, self_test=False)
    assert run.scorings == ("loglikelihood", "loglikelihood_norm")
    assert run.scoring == "loglikelihood"
    assert len(model.asked) == EXAMPLES * len(WORDINGS), "the second scoring calls no model"
    alone = evaluate(
        Model(), task, {"g": collection}, tmp_path / "one", scoring="loglikelihood_norm", metric="accuracy"
    )
    assert [cell.identity for cell in run.select("loglikelihood_norm").cells] == [c.identity for c in alone.cells]
    assert run.select("loglikelihood_norm").wording_scores() == alone.wording_scores()
    again = evaluate(Unreachable(), task, {"g": collection}, tmp_path / "run", scoring=scoring)
    assert again.wording_scores() == run.wording_scores()


def test_a_scoring_of_another_method_of_the_model_has_a_pass_and_a_price(tmp_path: Path) -> None:
    task, model = make_task(), Model()
    collection = Collection("mine", WORDINGS)
    groups = {"g": collection}
    both = forecast(model, task, groups, scoring="loglikelihood,paper")
    derived = forecast(model, task, groups, scoring="loglikelihood,loglikelihood_norm")
    assert (both.cells_missing, derived.cells_missing) == (2 * len(WORDINGS), len(WORDINGS))
    run = evaluate(model, task, groups, tmp_path / "run", scoring="loglikelihood,paper", self_test=False)
    assert len(model.asked) == 2 * EXAMPLES * len(WORDINGS)
    assert run.select("paper").missing == ()


def test_several_metrics_are_computed_from_the_same_texts(tmp_path: Path) -> None:
    writer = free_texts.Writer()
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    run = evaluate(writer, free_texts.notes(), groups, tmp_path / "run", metric="rouge2,bleu", self_test=False)
    assert (run.metrics, run.metric) == (("rouge2", "bleu"), "rouge2")
    asked = len(free_texts.TEXTS) * len(free_texts.WORDINGS)
    assert len(writer.asked) == asked, "the second metric asks the model nothing"
    # A metric that is added later does not either, and one with an argument that has a comma.
    more = r"regex:^.{1,25}$,chrf"
    evaluate(writer, free_texts.notes(), groups, tmp_path / "run", metric=more)
    assert len(writer.asked) == asked
    grown = load_run(tmp_path / "run")
    assert grown.metrics == ("rouge2", "bleu", "regex:^.{1,25}$", "chrf")
    assert grown.content["spec"]["metric"] == f"rouge2,bleu,{more}"
    for name in grown.metrics:
        alone = evaluate(free_texts.Writer(), free_texts.notes(), groups, tmp_path / name[:5], metric=name)
        assert grown.select(metric=name).wording_scores() == alone.wording_scores()
        assert [cell.identity for cell in grown.select(metric=name).cells] == [c.identity for c in alone.cells]
    with pytest.raises(RunError, match=r"no scores of the metric 'f1' .*rouge2, bleu.*--metric f1 with the same --out"):
        grown.select(metric="f1")


def test_a_run_folder_decides_the_maximum_length_of_answers(tmp_path: Path) -> None:
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    short = free_texts.notes(name="short")
    longer = tuple(replace(each, reference=" ".join([each.reference or ""] * 4)) for each in short.examples)
    long = replace(short, name="long", examples=longer)
    out, writer, observer = tmp_path / "run", free_texts.Writer(), Listener()
    evaluate(writer, long, groups, out, metric="rouge2", self_test=False)
    # References of the second task are shorter, and the metric is another one.
    evaluate(writer, short, groups, out, metric="bleu", observer=observer, self_test=False)
    assert set(writer.limits) == {46}  # 1.5 times 20 words, and 16
    assert any(f"at most 46 tokens per answer, as in {out}" in line for line in observer.warnings)
    # The other way round, one line says what to type.
    out = tmp_path / "other"
    evaluate(writer, short, groups, out, metric="rouge2", self_test=False)
    line = (
        r"other: the references of long need up to 46 tokens per answer, and the answers in the folder have at most 24"
        r"\. Add --max-new-tokens 24 to continue this run.*--max-new-tokens 46$"
    )
    with pytest.raises(UsageError, match=line):
        evaluate(writer, [short, long], groups, out, metric="rouge2")
    writer.limits.clear()
    run = evaluate(writer, [short, long], groups, out, metric="rouge2", max_new_tokens=24, self_test=False)
    assert ({cell.task for cell in run.cells}, set(writer.limits)) == ({"short", "long"}, {24})


def test_texts_of_options_are_read_again_without_their_maximum_length(project: Path, tmp_path: Path) -> None:
    spec = EvaluationSpec().with_changes(
        model="scripted", tasks=project / "task.yaml", instructions={"mine": project / "wordings.yaml"}
    )
    out = tmp_path / "run"
    resolve(spec.with_changes(scoring="generate", max_new_tokens=20), out=out).run(out, self_test=False)
    again = resolve(spec.with_changes(scoring="generate:last_line"), out=out)
    assert again.settings.max_new_tokens == 20
    assert again.run(out).scorings == ("generate", "generate:last_line")


def test_the_price_of_several_metrics_is_that_of_one(tmp_path: Path) -> None:
    groups = {"g": Collection("mine", free_texts.WORDINGS)}
    both = forecast(free_texts.Writer(), free_texts.notes(), groups, metric="rouge2,bleu")
    assert both.prompts_missing == len(free_texts.TEXTS) * len(free_texts.WORDINGS)
