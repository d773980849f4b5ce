"""Evaluate, align, evaluate again: does training on some wordings help on others, and which training helps most?"""

from __future__ import annotations

from phraseproof.hardening.harden import harden
from phraseproof.hardening.loop import HardenResult, run_hardening
from phraseproof.hardening.search import MethodSearch, run_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.settings import HardenSettings

__all__ = [
    "HardenResult",
    "HardenSettings",
    "MethodSearch",
    "SearchSettings",
    "harden",
    "run_hardening",
    "run_search",
]
