"""The version, in a separate module, so that other packages can read it without importing the public interface."""

from __future__ import annotations

__version__ = "0.1.0"
