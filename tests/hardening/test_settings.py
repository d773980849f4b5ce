from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.hardening.settings import HardenSettings, recommended_method
from support.free_texts import notes
from support.harden_data import make_task


@pytest.mark.parametrize(("name", "option"), [("held_out_share", "--held-out"), ("training_share", "--training-share")])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.1])
def test_shares_are_between_0_and_1(name: str, option: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"^{option}: the share is out of range .*got {value}"):
        HardenSettings(**{name: value})  # pyright: ignore[reportArgumentType]


def test_the_recommended_method_needs_options_where_all_tasks_have_them() -> None:
    assert recommended_method([make_task()]) == "lora+paft+choice" == HardenSettings().alignment.method
    assert recommended_method([make_task(), notes()]) == "lora+paft"
