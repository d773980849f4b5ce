"""Evaluate, align, evaluate again: does training on some wordings help on others? The only room above both sides."""

from __future__ import annotations

from phraseproof.harden.hardening import harden
from phraseproof.harden.loop import HardenResult, run_hardening
from phraseproof.harden.settings import HardenSettings

__all__ = ["HardenResult", "HardenSettings", "harden", "run_hardening"]
