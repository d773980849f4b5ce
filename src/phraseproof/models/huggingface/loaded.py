"""A model's weights: read from disk on first use, with the adapter attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from phraseproof.engine.network import Network
from phraseproof.engine.pass_state import PassState
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.adapter_tokenizer import grow_embeddings

if TYPE_CHECKING:
    from phraseproof.engine.prefix_cache import KeyValuePrefix
    from phraseproof.models.huggingface.adapters import AdapterFolder, AttachedAdapter
    from phraseproof.models.huggingface.checkpoint import Checkpoint


HALF_PRECISION, EVERYTHING = "half_precision", "all"
"""The model argument by which bfloat16 networks are computed in bfloat16 throughout, on every CPU."""


class LoadedNetwork(NamedTuple):
    """A network in memory.

    Attributes:
        network: the transformers model.
        adapter: the adapter attached to it, if any.
        num_parameters: the number of parameters, without the adapter's.
        state: of a network that has computed nothing yet.
    """

    network: Network
    adapter: AttachedAdapter | None
    num_parameters: int
    state: PassState


class LazyNetwork:
    """The network of a checkpoint, loaded when it is first needed.

    A dry run and a finished run never load weights, so what can be answered from configurations is answered from them.

    Args:
        checkpoint: where the weights are read from.
        adapter: the adapter to attach, if any.
    """

    def __init__(self, checkpoint: Checkpoint, adapter: AdapterFolder | None) -> None:
        self._checkpoint = checkpoint
        self._adapter_folder = adapter
        self._loaded: LoadedNetwork | None = None
        self._packed_layers: int | None = None
        self._vocabulary_size: int | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the weights are in memory."""
        return self._loaded is not None

    def load(self) -> LoadedNetwork:
        """The network and its adapter, read from disk on the first call.

        Raises:
            ModelError: weights or an adapter that cannot be read, or do not fit each other.
        """
        if self._loaded is None:
            network = self._checkpoint.load_network()
            # Counted before an adapter adds its own parameters, and before packing replaces layers.
            parameters = sum(parameter.numel() for parameter in network.parameters())
            state = PassState(network)
            adapter = None
            if self._adapter_folder:
                grow_embeddings(network, self._adapter_folder.folder, len(self._checkpoint.tokenizer))
                adapter = self._adapter_folder.attach(network)
            self._loaded = LoadedNetwork(network, adapter, parameters, state)
        return self._loaded

    def restore_state(self) -> None:
        """Let the network compute as if it had computed nothing before. Loads the weights."""
        self.load().state.restore()

    @property
    def network(self) -> Network:
        """The transformers model. Loads the weights."""
        return self.load().network

    @property
    def adapter(self) -> AttachedAdapter | None:
        """The attached adapter. Loads the weights."""
        return self.load().adapter

    @property
    def device(self) -> str:
        """The device of the weights, as torch names it."""
        return self._checkpoint.precision.device

    @property
    def virtual_tokens(self) -> int:
        """The number of soft prompt tokens at the input, which are computed with every prompt."""
        if self._loaded is None:
            return 0 if self._adapter_folder is None else self._adapter_folder.soft_prompt_size.virtual
        adapter = self._loaded.adapter
        return 0 if adapter is None or adapter.virtual is None else int(adapter.virtual.shape[0])

    @property
    def prefix(self) -> KeyValuePrefix | None:
        """The soft prompt in every layer: keys and values that precede every prompt. Loads the weights."""
        adapter = self.load().adapter
        return None if adapter is None else adapter.prefix

    @property
    def prefix_tokens(self) -> int:
        """The number of soft prompt tokens in every layer."""
        if self._loaded is None:
            return 0 if self._adapter_folder is None else self._adapter_folder.soft_prompt_size.prefix
        prefix = self.prefix
        return 0 if prefix is None else prefix.count

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids that have an embedding. Loads the weights."""
        if self._vocabulary_size is None:
            self._vocabulary_size = int(self.network.get_input_embeddings().weight.shape[0])
        return self._vocabulary_size

    @property
    def has_packed_layers(self) -> bool:
        """Whether `pack_layers` was called, so that linear layers may no longer be plain ones."""
        return self._packed_layers is not None

    def pack_layers(self) -> int:
        """Pack the linear layers for scoring, on CPUs where this is faster. Loads the weights.

        Returns:
            The number of packed layers; later calls return the same number and change nothing.

        Raises:
            ModelError: a bfloat16 network that computes something else where only products are in bfloat16.
        """
        if self._packed_layers is None:
            self._packed_layers = self._pack() if self.device == "cpu" else 0
        return self._packed_layers

    def _pack(self) -> int:
        from phraseproof.engine.cpu.half_products import emulated
        from phraseproof.engine.cpu.network_packing import pack_float32, pack_half, widen_emulated

        dtype = self._checkpoint.precision.dtype
        if dtype == "float32":
            return pack_float32(self.network)
        if not self.has_half_products:
            return widen_emulated(self.network) if emulated(dtype) else 0
        # The model's identity, which names half products, is in use by now.
        if (packed := pack_half(self.network)) is None:
            raise ModelError(
                f"{type(self.network).__name__} computes something else where only products are in bfloat16",
                hint=f"Use --dtype float32, or --model-arg {HALF_PRECISION}={EVERYTHING}: slower, and less exact",
            )
        return packed

    @property
    def has_half_products(self) -> bool:
        """Whether only products are computed in bfloat16 (`engine/cpu/half_products.py`). Does not load the weights."""
        checkpoint = self._checkpoint
        if (checkpoint.precision.dtype, self.device) != ("bfloat16", "cpu"):
            return False
        from phraseproof.engine.cpu.half_products import half_products_pay

        return half_products_pay() and checkpoint.options.args.get(HALF_PRECISION) != EVERYTHING
