"""Transformers without its progress bars and advice, for a moment."""

from __future__ import annotations

import contextlib
from collections.abc import Generator


@contextlib.contextmanager
def quiet_transformers() -> Generator[None]:
    """No progress bars and no advice of transformers' own while it reads or writes a model."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
