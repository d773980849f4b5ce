"""`support.tiny_models` under its short name, for scripts outside the suite that put this folder on their path."""

from __future__ import annotations

from support.tiny_models import *  # noqa: F403
