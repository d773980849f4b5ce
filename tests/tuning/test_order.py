"""Every epoch goes through all examples, and every process runs its share of a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.tuning.order import ExampleOrder, micro_batches


@given(count=st.integers(1, 30), size=st.integers(1, 12), seed=st.integers(0, 3))
def test_an_epoch_holds_every_example_once(count: int, size: int, seed: int) -> None:
    order = ExampleOrder(count, size, seed)
    epochs = [[order.step(2 * order.steps_per_epoch + place) for place in range(order.steps_per_epoch)] for _ in "ab"]
    assert epochs[0] == epochs[1]
    assert sorted(index for step in epochs[0] for index in step) == list(range(count))
    assert all(len(step) == size for step in epochs[0][:-1])


def test_epochs_and_seeds_have_other_orders() -> None:
    first = ExampleOrder(30, 30, 0)
    assert first.step(0) != first.step(1)
    assert first.step(0) != ExampleOrder(30, 30, 1).step(0)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_a_step_and_have_equally_many_passes(processes: int) -> None:
    lengths = [9, 2, 7, 4, 5, 30, 1]
    chosen = [5, 3, 1, 0, 6]
    shares = [
        micro_batches(chosen, lengths, size=2, process=process, processes=processes) for process in range(processes)
    ]
    assert len({len(share) for share in shares}) == 1
    assert sorted(index for share in shares for batch in share for index in batch) == sorted(chosen)
    assert all(len(batch) <= 2 for share in shares for batch in share)
    (whole,) = [micro_batches(chosen, lengths, size=2, process=0, processes=1)]
    assert whole == [[6, 1], [3, 0], [5]]
