"""The Network: a frozen base-year picture of one chain, in tonnes contained per year.

Arrays inside, labelled tables at the edge.  Every array is indexed by the labels in :attr:`Network.regions`,
:attr:`Network.forms` and :attr:`Network.conversions`; nothing downstream relies on an order (law 7).

The balance that a Network obeys, for every region ``r`` and form ``g`` (equation E1)::

    production + imports + conversion output = conversion input + final use + exports + stock change
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import BalanceError, LabelError, UnknownNameError
from evernormal.result import Finding, Input, Parameter

__all__ = ["REST_OF_WORLD", "Conversion", "EndUse", "Network"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REST_OF_WORLD = "ROW"
"""Label of the region that stands for every country not shown by itself."""


@dataclass(frozen=True)
class Conversion:
    """One step of a chain.

    Attributes:
        source: form consumed.
        target: form made.
        recovery: tonnes contained of ``target`` per tonne contained of ``source``, 0 < recovery.
    """

    source: str
    target: str
    recovery: Parameter

    @property
    def name(self) -> str:
        """``source -> target``."""
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True)
class EndUse:
    """One final use of a form in the focal region.

    Attributes:
        form: the form used.
        name: stable key, such as ``batteries``.
        name_en: English name.
        name_ko: Korean name.
        share: fraction of the focal region's final use of the form, 0..1.
        elasticity: own-price elasticity of *monthly final use*, negative.
        value_added: USD of value added lost per tonne contained that is missing.
        substitutable: share of the use that can do without within months, 0..1.
    """

    form: str
    name: str
    name_en: str
    name_ko: str
    share: Parameter
    elasticity: Parameter
    value_added: Parameter
    substitutable: Parameter


@dataclass(frozen=True)
class Network:
    """A frozen base-year picture of one chain.

    Shapes: R regions, G forms, C conversions, A arcs.  Quantities are tonnes contained per year unless said.

    Attributes:
        focal: ISO 3166 alpha-3 of the focal region; one of ``regions``.
        form: the form that the question is about; one of ``forms``.
        year: base year.
        regions: R labels, ISO 3166 alpha-3 or ``ROW``.
        forms: G form names, upstream first.
        production: (R, G) primary production of each form.
        use: (R, G) final use.
        conversions: C conversions.
        activity: (C, R) conversion *input*, tonnes contained of the source form.
        flow_from: (A,) region index of the exporter.
        flow_to: (A,) region index of the importer.
        flow_form: (A,) form index.
        flow: (A,) shipped per year, positive.
        transit_days: (A,) days from port to port including handling.
        price: (R, G) USD per tonne contained in the base year.
        commercial_stock: (R, G) tonnes held by firms at the start.
        state_stock: (R, G) tonnes held by the state at the start; moves only by policy.
        end_uses: final uses of the focal region; shares of one form sum to 1.
        gross_per_contained: form to tonnes gross per tonne contained of the focal region's imports.
        tables: observations behind the arrays; ``base_rows`` always (one row per source row of the focal
            region's imports), ``adjustments`` always (what balancing changed), others as available:
            ``implied_flows`` are flows that nobody observed and what they follow from (equation E27).
        findings: what a reader must know.
        coverage: one row per (region, form, item) that was needed: ``observed``, ``estimated`` or
            ``unknown``.
        inputs: the tables this was made from, by hash.
        parameters: assumptions used, by name.
    """

    focal: str
    form: str
    year: int
    regions: tuple[str, ...]
    forms: tuple[str, ...]
    production: Floats
    use: Floats
    conversions: tuple[Conversion, ...]
    activity: Floats
    flow_from: Integers
    flow_to: Integers
    flow_form: Integers
    flow: Floats
    transit_days: Floats
    price: Floats
    commercial_stock: Floats
    state_stock: Floats
    end_uses: tuple[EndUse, ...] = ()
    gross_per_contained: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    coverage: pl.DataFrame = field(default_factory=pl.DataFrame)
    inputs: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.regions), len(self.forms))
        for name in ("production", "use", "price", "commercial_stock", "state_stock"):
            self._check(name, shape)
        self._check("activity", (len(self.conversions), len(self.regions)))
        for name in ("flow_from", "flow_to", "flow_form", "transit_days"):
            self._check(name, self.flow.shape)
        for kind, label, known in (("region", self.focal, self.regions), ("form", self.form, self.forms)):
            if label not in known:
                raise UnknownNameError(kind, label, known, where="network")
        if len(set(self.regions)) != len(self.regions) or len(set(self.forms)) != len(self.forms):
            raise LabelError("a region or form is listed twice", where="network")

    def _check(self, name: str, shape: tuple[int, ...]) -> None:
        array = getattr(self, name)
        if array.shape != shape:
            raise LabelError(f"{name} has shape {array.shape}, labels say {shape}", where="network")
        if not np.isfinite(array).all() or (array < 0).any():
            raise LabelError(
                f"{name} holds a negative or non-finite value",
                where="network",
                cure="Leave out what is unknown; do not pass NaN or a negative number.",
            )

    def region(self, label: str) -> int:
        """Return the index of a region."""
        if label not in self.regions:
            raise UnknownNameError("region", label, self.regions, where=f"network of {self.form}")
        return self.regions.index(label)

    def form_index(self, name: str) -> int:
        """Return the index of a form."""
        if name not in self.forms:
            raise UnknownNameError("form", name, self.forms, where=f"network of {self.form}")
        return self.forms.index(name)

    @property
    def focal_index(self) -> int:
        """Index of the focal region."""
        return self.regions.index(self.focal)

    def imports(self) -> Floats:
        """(R, G) imports, tonnes contained per year."""
        total = np.zeros_like(self.production)
        np.add.at(total, (self.flow_to, self.flow_form), self.flow)
        return total

    def exports(self) -> Floats:
        """(R, G) exports, tonnes contained per year."""
        total = np.zeros_like(self.production)
        np.add.at(total, (self.flow_from, self.flow_form), self.flow)
        return total

    def residual(self) -> Floats:
        """(R, G) left side less right side of equation E1; zero when balanced."""
        left = self.production + self.imports()
        right = self.use + self.exports()
        for c, conversion in enumerate(self.conversions):
            left[:, self.form_index(conversion.target)] += self.activity[c] * conversion.recovery.value
            right[:, self.form_index(conversion.source)] += self.activity[c]
        return left - right

    def throughput(self) -> Floats:
        """(R, G) all that comes in, the scale of the balance tolerance."""
        total = self.production + self.imports()
        for c, conversion in enumerate(self.conversions):
            total[:, self.form_index(conversion.target)] += self.activity[c] * conversion.recovery.value
        return total

    def require_balance(self, tolerance: float = 1e-9) -> None:
        """Raise :class:`BalanceError` naming the worst cells when law 1 does not hold.

        Args:
            tolerance: allowed residual as a fraction of the cell's throughput (and of the world's for tiny
                cells).
        """
        residual, scale = self.residual(), self.throughput()
        allowed = tolerance * np.maximum(scale, 1e-6 * scale.sum(axis=0, keepdims=True))
        bad = np.argwhere(np.abs(residual) > allowed)
        if len(bad):
            worst = sorted(bad, key=lambda rg: -abs(residual[rg[0], rg[1]]))[:5]
            named = ", ".join(f"{self.regions[r]} {self.forms[g]} {residual[r, g]:+.4g} t" for r, g in worst)
            raise BalanceError(f"{len(bad)} cells do not balance: {named}", where=f"network of {self.form}")

    def table(self) -> pl.DataFrame:
        """Return one row per region and form, tonnes contained per year and USD per tonne."""
        imports, exports = self.imports(), self.exports()
        rows = [
            {
                "region": region,
                "form": form,
                "production_t": float(self.production[r, g]),
                "imports_t": float(imports[r, g]),
                "exports_t": float(exports[r, g]),
                "use_t": float(self.use[r, g]),
                "commercial_stock_t": float(self.commercial_stock[r, g]),
                "state_stock_t": float(self.state_stock[r, g]),
                "price_usd_t": float(self.price[r, g]),
            }
            for r, region in enumerate(self.regions)
            for g, form in enumerate(self.forms)
        ]
        return pl.DataFrame(rows)

    def flow_table(self) -> pl.DataFrame:
        """Return one row per arc: exporter, importer, form, tonnes contained per year, transit days."""
        return pl.DataFrame(
            {
                "exporter": [self.regions[i] for i in self.flow_from],
                "importer": [self.regions[j] for j in self.flow_to],
                "form": [self.forms[g] for g in self.flow_form],
                "flow_t": self.flow,
                "transit_days": self.transit_days,
            }
        )
