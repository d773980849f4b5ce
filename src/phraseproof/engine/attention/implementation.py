"""Which attention function a network calls: named in its configurations for the length of a pass, then put back."""

from __future__ import annotations

import contextlib
import logging as python_logging
from collections.abc import Generator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from transformers import PreTrainedModel

from phraseproof.engine.network import Network, NetworkConfig


@contextlib.contextmanager
def packed_attention(network: Network, name: str) -> Generator[None]:
    """Let all attention of a network call a function of transformers' interface, inside the context.

    Args:
        network: a transformers model.
        name: of the function, as it is registered with `ALL_ATTENTION_FUNCTIONS`.
    """
    with quiet():
        configs, named = _settings(network, name)
        before = _named(configs)
        try:
            _name(configs, named)
            yield
        finally:
            # Restored even after an error: padded passes and generation use the same network.
            _name(configs, before)


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Silence transformers' warnings on missing masks and fixed attention: `probe.py` tests both."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    if verbosity >= python_logging.ERROR:
        # Every change of a level empties the caches of all loggers, which costs as much as a small layer.
        yield
        return
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


class _Settings(NamedTuple):
    """A network's configurations, outer ones first, and what each names while our function is in use."""

    configs: list[NetworkConfig]
    named: list[str]


# transformers looks through all modules of a network each time, which took 2% of the time of scoring with a small T5.
_known: WeakKeyDictionary[Network, dict[str, _Settings]] = WeakKeyDictionary()


def _settings(network: Network, name: str) -> _Settings:
    """All configurations of a network, as transformers itself sets them for this function."""
    by_name = _known.setdefault(network, {})
    if name not in by_name:
        configs = _configs(network)
        before = _named(configs)
        try:
            network.set_attn_implementation(name)
            by_name[name] = _Settings(configs, _named(configs))
        finally:
            _name(configs, before)
    return by_name[name]


def _named(configs: Sequence[NetworkConfig]) -> list[str]:
    return [getattr(config, _SETTING) for config in configs]


def _name(configs: Sequence[NetworkConfig], names: Sequence[str]) -> None:
    # A configuration passes its name on to its parts, so those follow.
    for config, name in zip(configs, names, strict=True):
        setattr(config, _SETTING, name)


def _configs(network: Network) -> list[NetworkConfig]:
    """The network's configuration and those of its parts, each before the ones that it contains."""
    found: dict[int, NetworkConfig] = {}

    def add(config: NetworkConfig) -> None:
        if id(config) not in found:
            found[id(config)] = config
            for part in config.sub_configs:
                if (inner := getattr(config, part, None)) is not None:
                    add(inner)

    add(network.config)
    for module in network.modules():
        if isinstance(module, PreTrainedModel):
            add(module.config)
    return list(found.values())


_SETTING = "_attn_implementation"
