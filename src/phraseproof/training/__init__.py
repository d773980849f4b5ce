"""What every training shares: its loop on Hugging Face Accelerate, checkpoints, the log, and what stops it."""

from __future__ import annotations
