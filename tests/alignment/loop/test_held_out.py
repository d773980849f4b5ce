"""Evaluations on held-out sets are read back as they were written, and judged by loss or agreement."""

from __future__ import annotations

import json
import math

import pytest

from phraseproof.alignment.loop.held_out import HeldOut

LOOK = HeldOut(loss=0.1 + 0.2, ce=2.0, kl=0.5, accuracy=0.25, reference_accuracy=0.75, pairs=4)


@pytest.mark.parametrize("kappa", [None, 0.5])
def test_a_record_is_read_back(kappa: float | None) -> None:
    found = LOOK._replace(kappa=kappa)
    record = json.loads(json.dumps(found.as_record()))
    assert ("kappa" in record) == (kappa is not None)
    assert HeldOut.from_record(record) == found


def test_low_is_good() -> None:
    assert LOOK.badness("loss") == LOOK.loss
    assert LOOK._replace(kappa=0.25).badness("kappa") == -0.25
    assert LOOK.badness("kappa") == math.inf
    assert LOOK.summary == "held-out accuracy 25.0%"
