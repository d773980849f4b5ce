"""Models that llama.cpp runs in this process, with their weights as they are quantised in a GGUF file."""

from phraseproof.models.llamacpp.model import LlamaCppModel, load

__all__ = ["LlamaCppModel", "load"]
