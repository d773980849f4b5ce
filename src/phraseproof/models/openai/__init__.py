"""Models behind an HTTP server that speaks OpenAI's protocol."""

from phraseproof.models.openai.model import ChatModel, CompletionsModel, load, token_spans

__all__ = ["ChatModel", "CompletionsModel", "load", "token_spans"]
