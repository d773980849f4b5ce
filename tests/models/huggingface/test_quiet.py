"""Transformers' progress bars and advice come back afterwards."""

from __future__ import annotations

import logging as python_logging

import pytest
from transformers.utils import logging

from phraseproof.models.huggingface.quiet import quiet_transformers


def test_verbosity_and_bars_are_as_before_even_after_an_error() -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()

    def fail_quietly() -> None:
        with quiet_transformers():
            assert logging.get_verbosity() == python_logging.ERROR
            assert not logging.is_progress_bar_enabled()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_quietly()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
