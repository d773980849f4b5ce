"""Decoder-only models that vLLM computes in this process: `vllm/HUB-ID` or `vllm/FOLDER`."""

from phraseproof.models.vllm.provider import load

__all__ = ["load"]
