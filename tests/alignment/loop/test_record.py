"""The record of an alignment names what identifies it."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.settings import AlignmentSettings
from support.tiny_models import tiny_llama
from support.tiny_pairs import own_wordings, shared_wordings
from support.tiny_trainings import CPU


def pairs_of(validation: Any) -> dict[str, Any]:
    prepared = prepare(str(tiny_llama()), shared_wordings(), AlignmentSettings(), CPU, validation)
    return cast("dict[str, Any]", prepared.record["pairs"])


def test_validation_files_are_part_of_it_only_where_there_are_any() -> None:
    assert "validation" not in pairs_of(None)
    one = pairs_of({"own": own_wordings(4)})
    assert one["validation"]["own"]["count"] == 4
    other = [dataclasses.replace(each, target="D") for each in own_wordings(4)]
    assert pairs_of({"own": other})["validation"] != one["validation"]
    assert pairs_of({"own": own_wordings(4)}) == one
