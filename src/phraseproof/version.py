"""The version, in a module of its own, so that a room can read it without importing the public interface above it."""

from __future__ import annotations

__version__ = "0.1.0"
