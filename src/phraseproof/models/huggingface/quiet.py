"""Silences transformers while it reads or writes a model."""

from __future__ import annotations

import contextlib
from collections.abc import Generator


@contextlib.contextmanager
def quiet_transformers() -> Generator[None]:
    """Show no progress bars and no warnings of transformers inside the context."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        # Only if they were on: a user's own `disable_progress_bar` must stay in force.
        if bars:
            logging.enable_progress_bar()
