"""The scripted model: a deterministic fake with every capability, which needs no torch."""

from phraseproof.models.scripted.model import ScriptedModel, load

__all__ = ["ScriptedModel", "load"]
