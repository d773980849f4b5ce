"""What the evaluation and its workers send each other."""

from __future__ import annotations

import pickle

from phraseproof.core import Outcome
from phraseproof.errors import LimitReachedError
from phraseproof.evaluation.distributed.messages import Event, Rows, StopAll, UnitDone, versions
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.usage import Usage
from phraseproof.version import __version__


def test_events_are_the_same_after_the_way() -> None:
    row = StoredOutcome(Outcome("e1", 1.0, options=("a", "b")), Usage(0.1, 0.2, 3, 4))
    events: list[Event] = [Rows(3, [row]), UnitDone(7, {3: {1: 2}}, 135)]
    assert pickle.loads(pickle.dumps(events)) == events
    stop = pickle.loads(pickle.dumps(StopAll(LimitReachedError("100 requests", where="--max-requests", hint="More"))))
    assert isinstance(stop.error, LimitReachedError)
    assert str(stop.error) == "--max-requests: 100 requests. More"


def test_versions_name_what_can_change_a_number() -> None:
    found = versions()
    assert found["phraseproof"] == __version__
    assert "+" not in found["torch"]
