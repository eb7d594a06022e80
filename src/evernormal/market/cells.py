"""Which cells of a network take part in the market, and who makes and converts in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evernormal.network.network import Network

__all__ = ["active_cells", "processors", "producers"]

Integers = NDArray[np.int64]

DUST = 1e-9


def active_cells(network: Network) -> NDArray[np.bool_]:
    """(R, G) cells that take part; dust below 1e-9 of the form's throughput is held at its base."""
    throughput = network.throughput()
    return np.asarray(throughput > DUST * throughput.sum(axis=0, keepdims=True))


def producers(network: Network) -> tuple[Integers, Integers]:
    """Region and form index of every production that takes part."""
    r, g = np.nonzero((network.production > 0) & active_cells(network))
    return r, g


def processors(network: Network) -> tuple[Integers, Integers]:
    """Conversion and region index of every conversion that takes part."""
    active = active_cells(network)
    ends = [(network.form_index(c.source), network.form_index(c.target)) for c in network.conversions]
    both = np.array([active[:, source] & active[:, target] for source, target in ends], dtype=bool)
    c, r = np.nonzero((network.activity > 0) & both.reshape(network.activity.shape))
    return c, r
