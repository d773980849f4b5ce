"""An evaluation on workers: the rows of one process, resumed and recorded in the same way."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.energy.session import read_sessions
from phraseproof.errors import StoppedError, UsageError
from phraseproof.evaluation import resolve as resolving
from phraseproof.evaluation.distributed import kept_model
from phraseproof.evaluation.distributed.messages import Event, Ready, Rows, UnitDone, WorkerFailed, WorkerLost
from phraseproof.evaluation.distributed.pooled import PooledWorkers
from phraseproof.evaluation.numerical_error import plan_key
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Interrupted
from phraseproof.models import ModelOptions
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import load_run
from support.growing_run import Listener
from support.inline_pool import InlinePool, planned_for
from support.parity_project import write_project
from support.rounding_model import Rounding
from support.tiny_models import tiny_llama

EXAMPLES, WORDINGS = 6, 5


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


def evaluate_alone(project: Path, out: str, **options: Any) -> phraseproof.Run:
    model = options.pop("model", "scripted")
    wordings = {"mine": str(project / "wordings.yaml")}
    return phraseproof.evaluate(model, str(project / "task.yaml"), wordings, project / out, **options)


def rows_of(run: Any) -> list[dict[str, object]]:
    return sorted(run.outcomes().to_pylist(), key=lambda row: (row["instruction"], row["example_id"], row["scoring"]))


class Counting:
    """Counts the outcomes that workers send."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, worker: int, events: list[Event]) -> list[Event]:
        self.rows += sum(len(event.rows) for event in events if isinstance(event, Rows))
        return events


@pytest.mark.parametrize("unit_tokens", [1, 40, None])
def test_workers_give_the_rows_of_one_process(project: Path, unit_tokens: int | None) -> None:
    alone = evaluate_alone(project, "alone")
    listener = Listener()
    shared = planned_for(project, InlinePool(), unit_tokens=unit_tokens).run(project / "shared", observer=listener)
    assert rows_of(shared) == rows_of(alone)
    assert listener.done == listener.total == EXAMPLES * WORDINGS
    assert listener.warnings == []
    assert shared.settings == alone.settings
    for name in ("tokens_asked", "tokens_computed"):
        assert shared.content["usage"][name] == alone.content["usage"][name]
    assert shared.content["self_test"] == alone.content["self_test"]


def test_several_scorers_and_few_shot_prompts(project: Path) -> None:
    options: dict[str, Any] = {"scoring": "loglikelihood,generate", "num_fewshot": [0, 2], "limit": 4}
    evaluate_alone(project, "alone", **options)
    planned_for(project, InlinePool(), unit_tokens=50, **options).run(project / "shared")
    for scoring in ("loglikelihood", "generate"):
        one, other = (load_run(project / out).select(scoring, None) for out in ("alone", "shared"))
        assert rows_of(one) == rows_of(other)


def test_a_stopped_run_continues_and_nothing_is_computed_twice(project: Path) -> None:
    class Stopping(Listener):
        def advanced(self, prompts: int) -> None:
            super().advanced(prompts)
            if self.done >= 13:
                raise KeyboardInterrupt

    counting = Counting()
    with pytest.raises(Interrupted, match=r"stopped: (\d+) of 30 prompts are stored in .*; the same command continues"):
        planned_for(project, InlinePool(mishap=counting), unit_tokens=20).run(project / "run", observer=Stopping())
    listener = Listener()
    planned_for(project, InlinePool(mishap=counting), unit_tokens=20).run(project / "run", observer=listener)
    assert listener.done == EXAMPLES * WORDINGS
    assert counting.rows == EXAMPLES * WORDINGS
    assert rows_of(load_run(project / "run")) == rows_of(evaluate_alone(project, "alone"))


def test_what_is_stored_needs_no_workers(project: Path) -> None:
    evaluate_alone(project, "run")
    pool = InlinePool()
    planned_for(project, pool).run(project / "run")
    assert pool.started == []
    counting = Counting()
    planned_for(project, InlinePool(mishap=counting), scoring="loglikelihood_norm").run(project / "run")
    assert counting.rows == 0
    assert len(load_run(project / "run").select("loglikelihood_norm", None).cells) == WORDINGS


def test_where_no_worker_can_work_one_line_says_why(project: Path) -> None:
    def refuse(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerFailed(f"no room on {worker}")] if any(isinstance(each, Ready) for each in events) else events

    with pytest.raises(StoppedError, match=r"^no room on 1\. 0 of 30 prompts are stored in .*same command"):
        planned_for(project, InlinePool(mishap=refuse)).run(project / "run")

    def lose(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerLost("out of memory")]

    pool = InlinePool(mishap=lose)
    with pytest.raises(StoppedError, match="workers end again and again before they compute anything: out of memory"):
        planned_for(project, pool).run(project / "run")
    assert 2 < len(pool.started) < 20


def test_a_network_chooses_the_same_in_units_of_other_sizes(project: Path) -> None:
    """Which prompts are computed together moves the last bits of float32, as in a run that was continued."""
    options: dict[str, Any] = {"model": str(tiny_llama()), "self_test": False}
    alone = rows_of(evaluate_alone(project, "alone", **options))
    shared = rows_of(planned_for(project, InlinePool(), unit_tokens=100, **options).run(project / "shared"))
    for one, other in zip(alone, shared, strict=True):
        assert one["predicted"] == other["predicted"]
        assert one["option_logprobs"] == pytest.approx(other["option_logprobs"], abs=2e-5)


def test_a_worker_measures_the_error_of_half_precision_once(project: Path) -> None:
    def lose_first(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerLost("signal 9")] if worker == 1 else events

    options: dict[str, Any] = {"model": str(tiny_llama()), "model_options": ModelOptions(dtype="bfloat16")}
    pool = InlinePool(mishap=lose_first)
    evaluation = planned_for(project, pool, **options)
    shared = evaluation.run(project / "shared")
    assert pool.measuring == [1, 2]
    (measured,) = shared.content["half_precision"].items()
    assert measured[0] == plan_key(evaluation.planned)
    assert measured[1]["sampled_prompts"] == EXAMPLES * WORDINGS
    assert shared.model_parameters


def test_another_worker_measures_where_the_first_one_cannot_work(project: Path) -> None:
    def refuse_first(worker: int, events: list[Event]) -> list[Event]:
        return [WorkerFailed("no such file")] if worker == 1 else events

    options: dict[str, Any] = {"model": str(tiny_llama()), "model_options": ModelOptions(dtype="bfloat16")}
    pool = InlinePool(mishap=refuse_first)
    shared = planned_for(project, pool, unit_tokens=100, **options).run(project / "shared")
    assert pool.measuring == [1, 3]
    assert len(shared.content["half_precision"]) == 1
    assert shared.missing == ()


def test_the_session_says_that_energy_is_not_tracked(project: Path) -> None:
    run = planned_for(project, InlinePool()).run(project / "run")
    (session,) = read_sessions(run.content)
    assert session.energy is None
    assert session.no_energy == "the workers of --workers are not metered"
    assert session.hardware == "2 workers of 1 CPU by Ray, this machine"


def test_what_workers_cannot_do_is_refused(project: Path) -> None:
    def asked(model: Any = "scripted", **changes: Any) -> None:
        wordings = {"mine": str(project / "wordings.yaml")}
        request = EvaluationRequest.of(model, str(project / "task.yaml"), wordings, **changes)
        resolve(request, workers=InlinePool())

    with pytest.raises(UsageError, match="workers load a model by its name, and this one is a Python object"):
        asked(ScriptedModel())
    with pytest.raises(UsageError, match=r"--device: --workers and several devices are given \(got cpu,cpu\)"):
        asked(model_options=ModelOptions(device="cpu,cpu"))


def test_a_served_model_is_refused_before_its_server_is_asked(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        request = EvaluationRequest.of(
            "openai/some",
            str(project / "task.yaml"),
            {"mine": str(project / "wordings.yaml")},
            model_options=ModelOptions(args={"base_url": url}),
        )
        with pytest.raises(UsageError, match=r"^--workers: a model behind a server .* \(got openai/some\)"):
            resolve(request, workers=InlinePool())
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.fixture
def rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model `scripted` rounds as half precision does."""

    def load(name: str, options: object) -> Rounding:
        return Rounding(1)

    monkeypatch.setattr(resolving, "load_model", load)
    monkeypatch.setattr(kept_model, "load_model", load)


@pytest.mark.usefixtures("rounding")
def test_near_ties_are_scored_again_as_in_one_process(project: Path) -> None:
    options: dict[str, Any] = {"rescore_ties": True, "self_test": False}
    alone = evaluate_alone(project, "alone", **options)

    def lose(worker: int, events: list[Event]) -> list[Event]:
        unfinished = [event for event in events if not isinstance(event, UnitDone)]
        return [*unfinished, WorkerLost("signal 9")] if worker == 2 and len(unfinished) < len(events) else events

    pool = InlinePool(room=2, mishap=lose)
    shared = planned_for(project, pool, unit_tokens=20, **options).run(project / "shared")
    assert len(pool.started) == 3
    assert rows_of(shared) == rows_of(alone)
    (found,), (expected,) = shared.content["near_ties"].values(), alone.content["near_ties"].values()
    assert found == expected
    assert found["prompts"] > found["changed_choices"] > 0
    assert shared.content["half_precision"] == alone.content["half_precision"]
    assert pool.measuring == [1]
    assert pool.most_in_hand[0] == 1


@pytest.mark.usefixtures("rounding")
def test_a_continued_run_knows_the_error_that_was_measured(project: Path) -> None:
    class Stopping(Listener):
        def advanced(self, prompts: int) -> None:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"rescore_ties": True, "self_test": False}
    with pytest.raises(Interrupted):
        planned_for(project, InlinePool(), unit_tokens=20, **options).run(project / "run", observer=Stopping())
    pool = InlinePool()
    run = planned_for(project, pool, unit_tokens=20, **options).run(project / "run")
    assert pool.measuring == []
    alone = evaluate_alone(project, "alone", **options)
    assert rows_of(run) == rows_of(alone)
    (expected,) = alone.content["near_ties"].values()
    assert len(run.content["near_ties"]) == 2
    for count in ("prompts", "changed_choices"):
        assert sum(each[count] for each in run.content["near_ties"].values()) == expected[count]


def test_near_ties_are_not_scored_again_without_a_measured_error(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str, options: object) -> Rounding:
        return Rounding(1, broken="no room")

    monkeypatch.setattr(resolving, "load_model", load)
    monkeypatch.setattr(kept_model, "load_model", load)
    evaluation = planned_for(project, InlinePool(), rescore_ties=True, self_test=False)
    for _ in range(2):
        with pytest.raises(StoppedError, match="near-ties cannot be scored again: no room"):
            evaluation.run(project / "run")


def test_workers_of_cpus_do_not_look_for_a_gpu(project: Path) -> None:
    workers = planned_for(project, InlinePool()).workers
    assert isinstance(workers, PooledWorkers)
    assert workers.setup([], self_test=False).device == "cpu"
