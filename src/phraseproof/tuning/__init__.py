"""Instruction tuning: all weights of a model, trained on instructions and their answers (paper, appendix D)."""

from __future__ import annotations
