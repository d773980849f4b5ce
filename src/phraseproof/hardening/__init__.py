"""Evaluate, align, evaluate again: does training on some wordings help on others?"""

from __future__ import annotations

from phraseproof.hardening.harden import harden
from phraseproof.hardening.loop import HardenResult, run_hardening
from phraseproof.hardening.settings import HardenSettings

__all__ = ["HardenResult", "HardenSettings", "harden", "run_hardening"]
