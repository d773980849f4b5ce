"""Teachers: answers for training that come from a model under several wordings instead of given labels."""

from __future__ import annotations
