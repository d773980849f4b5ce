"""The scripted model: a deterministic fake with every capability, which does not use torch."""

from phraseproof.models.scripted.model import ScriptedModel, load

__all__ = ["ScriptedModel", "load"]
