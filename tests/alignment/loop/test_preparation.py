from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.alignment.loop.preparation import check_folder, find_method
from phraseproof.errors import RunError, UsageError
from phraseproof.store.training_record import write_record

RECORD = {"base_model": {"name": "a"}, "pairs": {"count": 2}, "settings": {"seed": 0, "save_every": 50}}


def test_an_unknown_method_is_answered_with_the_closest_one() -> None:
    assert find_method("pt+kl").name == "pt+kl"
    with pytest.raises(UsageError, match=r"^--method: no alignment method is called 'pt\+lk'.*Did you mean 'pt\+kl'"):
        find_method("pt+lk")


def test_a_folder_is_resumed_by_the_same_training_only(tmp_path: Path) -> None:
    assert check_folder(tmp_path, RECORD) is None
    write_record(tmp_path, RECORD)
    assert check_folder(tmp_path, RECORD | {"settings": {"seed": 0, "save_every": 5}}) is not None
    with pytest.raises(RunError, match=r"other settings: seed .expected 0, got 1.*to resume this training"):
        check_folder(tmp_path, RECORD | {"settings": {"seed": 1, "save_every": 50}})
