"""The loop: steps as plain torch takes them, resumed to the same bytes, and stopped before anything good is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.alignment.loop import work as work_module
from phraseproof.alignment.loop.held_out import HeldOut
from phraseproof.errors import ModelError, RunError
from phraseproof.store.training_record import read_record
from phraseproof.training import loop as training_module
from phraseproof.training.checkpoint import Checkpoints
from phraseproof.training.log import StepReport, read_log
from phraseproof.training.optimization import Optimization
from support import tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import StoppedError, StopsAt, Watcher, adapter, train


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return tiny_models.tiny_t5() if request.param == "t5" else tiny_models.tiny_llama()


@pytest.mark.parametrize(
    ("model", "step", "changes"),
    [
        ("t5", 1, {}),
        ("llama", 5, {}),
        ("llama", 1, {"placement": "layers"}),
        ("t5", 5, {"early_stopping_patience": 9, "eval_every": 1}),
        ("t5", 1, {"method": "dora+kl"}),
        ("llama", 5, {"method": "dora+kl"}),
    ],
    indirect=["model"],
)
def test_a_stopped_training_goes_on_to_the_same_bytes(
    model: Path, tmp_path: Path, step: int, changes: dict[str, Any]
) -> None:
    whole = train(model, tmp_path / "whole", **changes)
    with pytest.raises(StoppedError):
        train(model, tmp_path / "parts", observer=StopsAt(step), **changes)
    assert not (tmp_path / "parts" / "adapter_config.json").exists()
    watcher = Watcher()
    parts = train(model, tmp_path / "parts", observer=watcher, **changes)
    assert watcher.starts == [(6, step - step % 2)]
    files = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert files[0] == files[1]
    assert parts.after == whole.after
    assert parts.step == whole.step
    kept = ("step", "loss", "ce", "kl", "learning_rate", "gradient_norm", "held_out")
    logs = [[{k: row.get(k) for k in kept} for row in read_log(tmp_path / name)] for name in ("whole", "parts")]
    assert logs[0] == logs[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Trains a model once with the settings `QUICK`, for all tests that compare with it; gives the adapter's folder."""
    made: dict[Path, Path] = {}

    def trained(folder: Path) -> Path:
        if folder not in made:
            made[folder] = tmp_path_factory.mktemp("whole")
            train(folder, made[folder])
        return made[folder]

    return trained


class Signals(Watcher):
    """Sends a signal while a step is computed: the observer is called after the step before it was saved."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        super().__init__()
        self.step, self.number = step, number

    def stepped(self, report: StepReport) -> None:
        super().stepped(report)
        if report.step == self.step:
            signal.raise_signal(self.number)


@pytest.mark.parametrize(
    ("model", "step", "number"),
    [("t5", 0, signal.SIGTERM), ("t5", 2, signal.SIGINT), ("llama", 0, signal.SIGUSR1), ("llama", 2, signal.SIGTERM)],
    indirect=["model"],
)
def test_a_signal_saves_the_step_and_resuming_ends_with_the_same_bytes(
    model: Path, tmp_path: Path, whole: Callable[[Path], Path], step: int, number: signal.Signals
) -> None:
    said = rf"stopped after step {step + 1} of 6; the same command resumes from there"
    with stop_by(number, KeyboardInterrupt, match=said):
        train(model, tmp_path / "parts", observer=Signals(step, number), save_every=1000)
    watcher = Watcher()
    train(model, tmp_path / "parts", observer=watcher, save_every=1000)
    assert watcher.starts == [(6, step + 1)]
    folders = (whole(model), tmp_path / "parts")
    assert torch.equal(*map(adapter, folders))
    steps = [[(row["step"], row.get("loss")) for row in read_log(folder)] for folder in folders]
    assert steps[0] == steps[1]


@contextlib.contextmanager
def stop_by(number: signal.Signals, error: type[BaseException], match: str) -> Generator[None]:
    """The signal raises an interrupt within the block, as in the commands."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        with pytest.raises(error, match=match):
            yield
    finally:
        signal.signal(number, before)


def test_steps_are_saved_by_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "SECONDS_BETWEEN_SAVES", 0.0)
    monkeypatch.setattr(training_module, "SAVING_SHARE", 1e9)
    with pytest.raises(StoppedError):
        train(tiny_models.tiny_t5(), tmp_path / "parts", observer=StopsAt(5), save_every=1000)
    watcher = Watcher()
    train(tiny_models.tiny_t5(), tmp_path / "parts", observer=watcher, save_every=1000)
    assert watcher.starts == [(6, 5)]


@pytest.mark.parametrize(("seconds", "saved"), [(1e-6, 5), (1e6, None)])
def test_the_time_between_saves_is_the_users_choice(tmp_path: Path, seconds: float, saved: int | None) -> None:
    with pytest.raises(StoppedError):
        train(tiny_models.tiny_t5(), tmp_path / "a", observer=StopsAt(5), save_every=1000, save_every_seconds=seconds)
    assert Checkpoints(tmp_path / "a", HeldOut.from_record).steps()[:1] == ([] if saved is None else [saved])
    # Other intervals do not make another training of it.
    train(tiny_models.tiny_t5(), tmp_path / "a", save_every=2)


def test_a_drifting_training_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([(1.0, 2.0), (0.5, 1.0), (0.9, 0.5), (1.0, 0.25), (1.1, 0.2), (1.2, 0.1), (1.2, 0.1)])

    def evaluate(*_: object) -> HeldOut:
        ce, kl = next(found)
        return HeldOut(ce, ce, kl, 0.5, 0.5, 4)

    monkeypatch.setattr(work_module, "evaluate_held_out", evaluate)
    watcher = Watcher()
    train(tiny_models.tiny_t5(), tmp_path / "out", observer=watcher, eval_every=1)
    (warning,) = [line for line in watcher.warnings if "cross-entropy" in line]
    assert warning.startswith("after 3 steps the cross-entropy on held-out pairs has risen from 0.5 (step 1) to 1 nats")


class Spoiler(Watcher):
    """Makes the soft prompt infinite after a step, as a runaway learning rate does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        super().__init__()
        original = Optimization.step

        def spoiled(trained: Optimization, done: int, *arguments: Any) -> Any:
            result = original(trained, done, *arguments)
            if done + 1 == step:
                with torch.no_grad():
                    for parameter in trained.parameters:
                        parameter.fill_(torch.inf)
            return result

        monkeypatch.setattr(Optimization, "step", spoiled)


def test_nan_keeps_the_last_good_adapter(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(model, tmp_path / "good", max_steps=4, schedule="constant")
    with monkeypatch.context() as patch:
        spoiler = Spoiler(patch, 5)
        with pytest.raises(RunError, match=r"not a finite number in step 6.*adapter of step 4 was kept") as raised:
            train(model, tmp_path / "bad", max_steps=9, schedule="constant", observer=spoiler)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2
    assert torch.equal(adapter(tmp_path / "good"), adapter(tmp_path / "bad"))
    record = read_record(tmp_path / "bad")
    assert record is not None
    assert not record["finished"]
    assert record["result"]["step"] == 4
    assert [row["step"] for row in read_log(tmp_path / "bad")] == list(range(6))


def test_nan_at_once_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiler = Spoiler(monkeypatch, 1)
    with pytest.raises(RunError, match="Nothing was kept"):
        train(tiny_models.tiny_t5(), tmp_path / "bad", observer=spoiler)
    assert not (tmp_path / "bad" / "adapter_config.json").exists()


def test_a_runaway_learning_rate_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="training stopped"):
        train(tiny_models.tiny_t5(), tmp_path / "a", learning_rate=1e29, max_steps=20)


def test_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    result = train(
        tiny_models.tiny_llama(),
        tmp_path / "a",
        max_steps=60,
        learning_rate=0.5,
        schedule="constant",
        eval_every=1,
        early_stopping_patience=2,
    )
    looks = {row["step"]: row.get("held_out", {}).get("loss") or 0.0 for row in read_log(tmp_path / "a")}
    assert result.stopped == "early"
    assert result.steps < 60
    assert result.step == min(looks, key=lambda step: (looks[step], step))
    assert result.steps == result.step + 2
    assert result.after.loss == looks[result.step]
    assert sorted(looks) == list(range(result.steps + 1))


def test_ft_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    folder = tiny_models.tiny_t5(tied=True)
    train(folder, tmp_path / "whole", method="ft", learning_rate=1e-2)
    with pytest.raises(StoppedError):
        train(folder, tmp_path / "parts", method="ft", learning_rate=1e-2, observer=StopsAt(3))
    train(folder, tmp_path / "parts", method="ft", learning_rate=1e-2)
    whole, parts = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_changed_base_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Optimization.step

    def step(trained: Optimization, *arguments: Any) -> Any:
        with torch.no_grad():
            next(trained.model.network.parameters()).add_(1)
        return original(trained, *arguments)

    monkeypatch.setattr(Optimization, "step", step)
    with pytest.raises(ModelError, match="frozen model's weights changed"):
        train(tiny_models.tiny_t5(), tmp_path / "a", max_steps=1)
    assert not (tmp_path / "a" / "adapter_config.json").exists()


def test_the_learning_rate_follows_its_schedule(tmp_path: Path) -> None:
    watcher = Watcher()
    train(tiny_models.tiny_t5(), tmp_path / "a", warmup_steps=2, max_steps=6, observer=watcher)
    # 0.05 rises over two steps, then falls as half a cosine over the other four.
    expected = [0.0, 0.025, *(0.025 * (1 + math.cos(math.pi * done / 4)) for done in range(4))]
    assert [report.learning_rate for report in watcher.reports[1:]] == pytest.approx(expected)


# ------------------------------------------------------------------------------------------- what stops it, and weights


def look(ce: float, kl: float, kappa: float | None = None) -> HeldOut:
    return HeldOut(loss=ce + kl, ce=ce, kl=kl, accuracy=0.5, reference_accuracy=0.5, pairs=2, kappa=kappa)


def evaluations(monkeypatch: pytest.MonkeyPatch, found: list[HeldOut]) -> None:
    """The training's evaluations, in order: before the first step, after it, and so on."""
    rest = iter(found)
    monkeypatch.setattr(work_module, "evaluate_held_out", lambda *_: next(rest))


DRIFTING = [look(1.0, 2.0), look(0.5, 1.0), look(0.6, 0.5), look(0.8, 0.3), look(0.1, 0.1)]


def test_the_guard_stops_and_keeps_the_weights_with_the_lowest_cross_entropy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, watcher = tiny_models.tiny_llama(), Watcher()
    evaluations(monkeypatch, DRIFTING)
    changes = {"eval_every": 1, "schedule": "constant", "guard": True}
    found = train(folder, tmp_path / "guarded", observer=watcher, **changes)
    assert (found.stopped, found.step, found.steps) == ("drift", 1, 3)
    assert found.after == DRIFTING[1]
    assert "The guard stops the training, and keeps the weights of step 1" in watcher.warnings[0]
    evaluations(monkeypatch, DRIFTING)
    train(folder, tmp_path / "one", max_steps=1, schedule="constant", eval_every=1)
    assert torch.equal(adapter(tmp_path / "guarded"), adapter(tmp_path / "one"))


def test_a_training_that_was_stopped_where_the_guard_stops_it_ends_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tiny_models.tiny_llama()
    changes = {"eval_every": 1, "guard": True, "save_every": 1}
    evaluations(monkeypatch, DRIFTING)
    with pytest.raises(StoppedError):
        train(folder, tmp_path / "parts", observer=StopsAt(3), **changes)
    evaluations(monkeypatch, [])
    found = train(folder, tmp_path / "parts", **changes)
    assert (found.stopped, found.step) == ("drift", 1)


def test_without_the_guard_it_trains_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    evaluations(monkeypatch, DRIFTING)
    found = train(tiny_models.tiny_llama(), tmp_path / "off", eval_every=1, max_steps=4)
    assert (found.stopped, found.step) == ("done", 4)


def test_swarm_distillation_stops_when_agreement_no_longer_rises(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evaluations(monkeypatch, [look(1, 1, kappa) for kappa in (0.1, 0.5, 0.4, None, 0.3, 0.9)])
    pairs = [dataclasses.replace(pair, options=tuple("ABCD")) for pair in shared_wordings()]
    found = train(tiny_models.tiny_llama(), tmp_path / "a", pairs=pairs, method="pt+swarm", eval_every=1, labels="none")
    assert (found.stopped, found.step, found.steps) == ("early", 1, 4)


def test_the_weight_of_the_kl_term_can_rise(tmp_path: Path) -> None:
    train(tiny_models.tiny_llama(), tmp_path / "a", kl_schedule="linear", lambda_=0.6)
    rows = [row for row in read_log(tmp_path / "a") if row["step"]]
    assert len(rows) == 6
    for row in rows:
        weight = 0.6 * row["step"] / 6
        loss, ce, kl = row.get("loss"), row.get("ce"), row.get("kl")
        assert ce is not None
        assert kl is not None
        assert loss == pytest.approx((1 - weight) * ce + weight * kl, rel=1e-5)
