"""Models behind an HTTP server that speaks OpenAI's protocol."""

from phraseproof.models.openai.model import ChatModel, CompletionsModel
from phraseproof.models.openai.provider import load

__all__ = ["ChatModel", "CompletionsModel", "load"]
