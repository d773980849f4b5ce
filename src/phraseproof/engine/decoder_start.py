"""What the decoder of an encoder-decoder reads: the start token, then the target without its last token.

transformers' own `prepare_decoder_input_ids_from_labels` is missing in some classes (M2M100, Blenderbot) and moves the
last token of the target to the front in others (mBART), where it would be seen before it is predicted.
"""

from __future__ import annotations

import torch

from phraseproof.engine.network import Network
from phraseproof.errors import ModelError


def decoder_start(network: Network) -> int:
    """The token that `generate` starts the decoder with.

    Raises:
        ModelError: neither the configuration nor the generation settings name one.
    """
    config, settings = network.config, getattr(network, "generation_config", None)
    for source in (config, settings, getattr(config, "decoder", None)):
        token: int | None = getattr(source, "decoder_start_token_id", None)
        if token is not None:
            return int(token)
    begin: int | None = getattr(settings, "bos_token_id", None) or getattr(config, "bos_token_id", None)
    if begin is None:
        raise ModelError(
            f"{type(network).__name__} does not say which token its decoder starts with",
            expected="decoder_start_token_id in config.json or generation_config.json",
            got="none there, and no bos_token_id",
        )
    return int(begin)


def shifted_right(network: Network, labels: torch.Tensor) -> torch.Tensor:
    """What the decoder reads to predict `labels` [rows, tokens]: the start token, then all labels but the last."""
    start = torch.full_like(labels[:, :1], decoder_start(network))
    return torch.cat([start, labels[:, :-1]], dim=1)
