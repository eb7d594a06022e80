"""Indicators on drawn inputs: each takes :class:`Inputs` and returns one number a draw, NaN where unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evernormal.risk.resampling_cases import Inputs
from evernormal.risk.usgs_risk import usgs_supply_risk

__all__ = ["INDICATORS", "Indicator"]

Floats = npt.NDArray[np.float64]
Measured = Callable[[Inputs], Floats]


@dataclass(frozen=True)
class Indicator:
    """One indicator that can be resampled.

    Attributes:
        name: stable name.
        of: what it measures on drawn inputs.
        unit: ``fraction`` or ``1``.
        equation: key of its equation.
        worse: 1 when more is worse, -1 when less is.
        text: one plain clause.
    """

    name: str
    of: Measured
    unit: str
    equation: str
    worse: int
    text: str


def _shares(amounts: Floats) -> Floats:
    total = amounts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, amounts / total, np.nan)


def _largest(inputs: Inputs) -> Floats:
    return np.asarray(_shares(inputs.value).max(axis=1))


def _china(inputs: Inputs) -> Floats:
    names = inputs.case.partners
    share = _shares(inputs.value)
    return share[:, names.index("CHN")] if "CHN" in names else np.zeros(len(share))


def _hhi(inputs: Inputs) -> Floats:
    return np.asarray((_shares(inputs.value) ** 2).sum(axis=1))


def _hhi_quantity(inputs: Inputs) -> Floats:
    return np.asarray((_shares(inputs.tonnes) ** 2).sum(axis=1))


def _world(inputs: Inputs) -> Floats:
    """Shares of world supply, what nobody is named for among the whole."""
    case = inputs.case
    if case.made_known == "unknown" or not case.makers:
        return np.full((len(inputs.value), max(1, len(case.makers))), np.nan)
    whole = inputs.made.sum(axis=1, keepdims=True) / (1.0 - case.made_rest)
    return np.asarray(inputs.made / whole)


def _home(inputs: Inputs) -> Floats:
    """Domestic production in tonnes contained; NaN where no statistics count it."""
    if inputs.case.made_known != "statistics":
        return np.full(len(inputs.value), 0.0 if inputs.none_at_home else np.nan)
    return np.asarray(np.where(inputs.case.home, inputs.made, 0.0).sum(axis=1))


def _reliance(inputs: Inputs) -> Floats:
    net, made = inputs.tonnes.sum(axis=1) - inputs.exports, _home(inputs)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(net <= 0, 0.0, net / (made + net))


def _remaining(inputs: Inputs) -> Floats:
    bought, made = inputs.tonnes.sum(axis=1), _home(inputs)
    use = made + bought - inputs.exports
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(use > 0, (made + bought - inputs.tonnes.max(axis=1)) / use, np.nan)


def _world_hhi(inputs: Inputs) -> Floats:
    return np.asarray((_world(inputs) ** 2).sum(axis=1))


def _import_risk(inputs: Inputs) -> Floats:
    """Imports weighted by governance risk over production and imports (equation E101)."""
    weighted = (inputs.risk * inputs.tonnes).sum(axis=1)
    return np.asarray(weighted / (_home(inputs) + inputs.tonnes.sum(axis=1)))


def _geopolrisk(inputs: Inputs) -> Floats:
    return np.asarray(_world_hhi(inputs) * _import_risk(inputs))


def _sourcing(inputs: Inputs) -> Floats:
    """Own supply and imports, squared and weighted by governance 0 to 10 (equation E110)."""
    counted = inputs.case.made_known == "statistics"  # shares are no tonnes
    made = np.where(inputs.case.home & counted, inputs.made, 0.0)
    whole = made.sum(axis=1) + inputs.tonnes.sum(axis=1)
    own = (made**2 * inputs.makers_risk).sum(axis=1)
    bought = (inputs.tonnes**2 * inputs.risk).sum(axis=1)
    return np.asarray(10.0 * (own + bought) / whole**2)


def _eu(inputs: Inputs) -> Floats:
    """Supply risk of the Union's method with nothing recycled and no substitute (equation E104)."""
    world = 10.0 * (_world(inputs) ** 2 * inputs.makers_risk).sum(axis=1) if inputs.case.makers else np.nan
    reliance = np.where(np.isnan(_home(inputs)), np.nan, _reliance(inputs))
    return np.asarray(world * reliance / 2 + _sourcing(inputs) * (1 - reliance / 2))


def _disruption(inputs: Inputs) -> Floats:
    if not inputs.case.makers:
        return np.full(len(inputs.value), np.nan)
    terms = np.where(inputs.case.home, 0.0, _world(inputs) ** 2 * inputs.makers_risk)
    return np.asarray(np.clip(terms.sum(axis=1), 0.0, 1.0))


def _vulnerability(inputs: Inputs) -> Floats:
    price = inputs.value.sum(axis=1) / inputs.tonnes.sum(axis=1)
    shares = np.array([use.share.value for use in inputs.case.uses])
    paid = (shares * np.minimum(price[:, None] / inputs.earned, 1.0)).sum(axis=1)
    return np.asarray(np.clip(paid, 0.0, 1.0))


def _usgs(inputs: Inputs) -> Floats:
    parts = (_disruption(inputs), np.clip(_reliance(inputs), 0.0, 1.0), _vulnerability(inputs))
    return np.asarray(usgs_supply_risk(*parts))


_ALL = (
    Indicator("largest-share", _largest, "fraction", "E11", 1, "share of the largest supplier, by value"),
    Indicator("china-share", _china, "fraction", "E11", 1, "share of China, by value"),
    Indicator("hhi", _hhi, "fraction", "E100", 1, "concentration of imports, by value"),
    Indicator("hhi-quantity", _hhi_quantity, "fraction", "E100", 1, "concentration of imports, by tonnes"),
    Indicator("net-import-reliance", _reliance, "fraction", "E106", 1, "net imports over use"),
    Indicator("n-minus-one", _remaining, "fraction", "E107", -1, "supply without the largest, over use"),
    Indicator("world-hhi", _world_hhi, "fraction", "E100", 1, "concentration of world supply"),
    Indicator("import-risk", _import_risk, "fraction", "E101", 1, "imports weighted by governance risk"),
    Indicator("geopolrisk", _geopolrisk, "1", "E102", 1, "GeoPolRisk of the form"),
    Indicator("eu-supply-risk", _eu, "1", "E104", 1, "the Union's method, nothing recycled or substituted"),
    Indicator("disruption-potential", _disruption, "1", "E121", 1, "unstable concentration of world supply"),
    Indicator("economic-vulnerability", _vulnerability, "1", "E122", 1, "price over value added"),
    Indicator("usgs-supply-risk", _usgs, "1", "E120", 1, "supply risk in the manner of the USGS"),
)

INDICATORS: Mapping[str, Indicator] = {one.name: one for one in _ALL}
"""Indicators by name."""
