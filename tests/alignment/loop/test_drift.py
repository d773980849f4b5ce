"""The warning that wordings agree on answers that get worse."""

from __future__ import annotations

from phraseproof.alignment.loop.drift import WINDOW, DriftWatch
from phraseproof.training.log import LogRow


def held_out(*values: tuple[float, float]) -> list[LogRow]:
    return [{"step": 10 * n, "held_out": {"ce": ce, "kl": kl}} for n, (ce, kl) in enumerate(values)]


def said(rows: list[LogRow], lambda_: float | None = 0.8, earlier: int = 0) -> list[str]:
    watch = DriftWatch(lambda_, rows[:earlier])
    return [line for row in rows[earlier:] if (line := watch.read(row)) is not None]


DRIFTING = held_out((1.0, 2.0), (0.5, 1.0), (0.6, 0.5), (0.8, 0.25), (0.9, 0.2), (0.9, 0.1))


def test_it_is_said_once_with_steps_values_and_what_to_do() -> None:
    (line,) = said(DRIFTING)
    assert line == (
        "after 30 steps the cross-entropy on held-out pairs has risen from 0.5 (step 10) to 0.8 nats while KL fell "
        "from 1 to 0.25: the wordings agree more, on answers that get worse. Try a lower --lambda than 0.8, a lower "
        "--learning-rate, fewer steps (--max-steps 10), --early-stopping-patience 3 or --guard in another --out"
    )


def test_the_guard_sees_it_in_earlier_lines_too_but_only_on_held_out_pairs() -> None:
    watch = DriftWatch(0.8)
    seen = [(watch.read(row) is not None, watch.is_drifting) for row in DRIFTING]
    assert seen == [(False, False)] * 3 + [(True, True)] + [(False, True)] * 2
    assert DriftWatch(0.8, DRIFTING[:4]).is_drifting
    assert not DriftWatch(0.8, DRIFTING[:3]).is_drifting
    rows: list[LogRow] = [
        {"step": n, "ce": 0.5 + 0.2 * (n // WINDOW), "kl": 1 / (1 + n // WINDOW)} for n in range(3 * WINDOW)
    ]
    assert said(rows)
    assert not DriftWatch(0.8, rows).is_drifting


def test_a_resumed_training_does_not_say_it_again_but_remembers_what_was_before() -> None:
    assert said(DRIFTING, earlier=4) == []
    assert said(DRIFTING, earlier=3) == said(DRIFTING)


def test_one_worse_evaluation_a_rising_kl_or_a_small_rise_is_no_drift() -> None:
    assert said(held_out((1.0, 2.0), (0.5, 1.0), (0.9, 0.5), (0.5, 0.4), (0.9, 0.3))) == []
    assert said(held_out((1.0, 2.0), (0.5, 1.0), (0.9, 1.5), (1.2, 1.6))) == []
    assert said(held_out((1.0, 2.0), (0.5, 1.0), (0.52, 0.5), (0.52, 0.4))) == []


def test_a_loss_without_kl_has_no_lambda_to_lower() -> None:
    (line,) = said(DRIFTING, lambda_=None)
    assert "--lambda" not in line
    assert "Try a lower --learning-rate" in line


def test_without_held_out_pairs_windows_of_training_steps_are_compared() -> None:
    rows: list[LogRow] = [
        {"step": step, "ce": 0.5 + 0.2 * (step // WINDOW) + 0.5 * (step % 2), "kl": 1 / (1 + step // WINDOW)}
        for step in range(3 * WINDOW)
    ]
    (line,) = said(rows)
    # Means of the windows: 0.75, 0.95, 1.15; KL 1, 1/2, 1/3.
    assert line.startswith(f"after {3 * WINDOW - 1} steps the cross-entropy on training pairs has risen from 0.75 ")
    assert "to 1.15 nats while KL fell from 1 to 0.333" in line
    assert "early-stopping" not in line
