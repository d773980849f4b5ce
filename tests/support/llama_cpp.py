"""Skips tests of llama.cpp where its package is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

REASON = "llama-cpp-python is not installed (pip install 'phraseproof[llamacpp]' compiles it in some ten minutes)"

needs_llama_cpp = pytest.mark.skipif(find_spec("llama_cpp") is None, reason=REASON)
