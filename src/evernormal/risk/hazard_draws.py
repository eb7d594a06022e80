"""Joint futures drawn from hazards: who cuts what, when, how hard and for how long, many forms at once.

One capital acts on many minerals at once: events of one exporter in one year share a factor, as do events of
one year.  A draw depends on the seed and on its number alone, so any split of the draws gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import beta, gamma

from evernormal.errors import InputError, NotCoveredError
from evernormal.market.futures import ban_of
from evernormal.network.measures import Ban
from evernormal.result import Derivation, Finding, Lineage, Result, require_columns
from evernormal.risk.hazard_rates import Z80

__all__ = ["draw_hazards", "hazard_measures"]

Floats = NDArray[np.float64]

MONTH = 30.4375
_SCHEMA = {
    "draw": pl.Int64,
    "exporter": pl.String,
    "item": pl.String,
    "forms": pl.String,
    "announced": pl.Date,
    "effective": pl.Date,
    "ends": pl.Date,
    "severity": pl.Float64,
}


def draw_hazards(
    hazards: Result,
    draws: int,
    seed: int,
    start: str | date,
    *,
    years: int = 1,
    first: int = 0,
) -> Result:
    """Draw joint futures from the hazards of a result (equation E148).

    Args:
        hazards: result of :func:`evernormal.risk.hazards`.
        draws: number of futures.
        seed: of all of them.
        start: first day.
        years: length of the horizon.
        first: number of the first draw, to make a long run in parts: the parts together are the whole, byte
            for byte.

    Returns:
        A Result ``hazard-draws`` with tables ``draws`` (one row per event: draw, exporter, item, forms,
        announced, effective, ends, severity; a draw without events has no row), ``chances`` (exporter, item,
        share of draws with an event, what independence of all would give for the exporter), ``summary``
        (draws, events, share of draws with an event, with several items of one exporter).

    Raises:
        InputError: numbers that make no sense, or a result that is none of hazards.
        NotCoveredError: a severity or duration is unknown for everybody.

    >>> from evernormal.risk.hazard_table import hazards as told
    >>> known = told(["nickel/ore", "tin/ore"], kind="cut", score=False)
    >>> whole = draw_hazards(known, 200, 7, "2026-01-01")["draws"]
    >>> parts = [draw_hazards(known, 100, 7, "2026-01-01", first=n)["draws"] for n in (0, 100)]
    >>> whole.equals(pl.concat(parts))
    True
    """
    for name, value, least in (("draws", draws, 1), ("years", years, 1), ("first", first, 0)):
        if value < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    begin = date.fromisoformat(start) if isinstance(start, str) else start
    model = _Model.of(hazards)
    rows: list[tuple[Any, ...]] = []
    for number in range(first, first + draws):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        rows += model.draw(rng, number, begin, years)
    table = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    tables = {"draws": table, "chances": _chances(table, model, draws), "summary": _summary(table, draws)}
    from evernormal import __version__  # noqa: PLC0415

    units = {
        "draws": {"severity": "share of shipments"},
        "chances": {"chance": "share of draws", "expected": "1"},
        "summary": {"value": "see name"},
    }
    call = {
        "draws": draws,
        "first": first,
        "start": str(begin),
        "years": years,
        "hazards": dict(hazards.lineage.call),
    }
    lineage = Lineage(__version__, hazards.lineage.inputs, (), _DERIVATIONS, seed, call)
    return Result("hazard-draws", tables, units, lineage, (*hazards.findings, *model.findings()))


def hazard_measures(drawn: Result, draw: int) -> tuple[Ban, ...]:
    """Return the events of one draw as measures of a scenario.

    Args:
        drawn: result of :func:`draw_hazards`.
        draw: its number.

    >>> from evernormal.risk.hazard_table import hazards as told
    >>> known = told("nickel/ore", "IDN", kind="restriction", score=False)
    >>> drawn = draw_hazards(known, 50, 1, "2026-01-01", years=5)
    >>> hit = drawn["draws"]["draw"][0]
    >>> {measure.by for measure in hazard_measures(drawn, hit)}
    {'IDN'}
    """
    mine = drawn["draws"].filter(pl.col("draw") == draw).sort("effective", "exporter", "item")
    kind = dict(drawn.lineage.call.get("hazards", {})).get("kind", "cut")
    return tuple(
        ban_of(event, f"drawn: hazard of a {kind}, draw {draw}, seed {drawn.lineage.seed}")
        for event in mine.drop("draw").iter_rows()
    )


@dataclass(frozen=True)
class _Model:
    """Cells in the order of exporter and item, and how they hang together."""

    exporters: tuple[str, ...]
    items: tuple[str, ...]
    forms: tuple[str, ...]
    owner: NDArray[np.int64]
    rate: tuple[Floats, Floats, Floats, Floats]
    severity: tuple[Floats, Floats, Floats, Floats]
    onset: tuple[Floats, Floats, Floats, Floats]
    duration: tuple[Floats, Floats, Floats, Floats]
    laws: dict[str, Floats]
    shared: float
    own: float

    @classmethod
    def of(cls, hazards: Result) -> _Model:
        """Read a result of hazards; cells whose severity or duration is unknown are left out and told."""
        if hazards.kind != "hazards":
            raise InputError(
                f"a result of kind {hazards.kind!r} holds no hazards", cure="Give the result of risk.hazards."
            )
        table = hazards["hazards"].join(hazards["distributions"], on=["exporter", "item"], how="left")
        require_columns(table, ["rate", "severity", "duration_months"], "hazards")
        table = table.sort("exporter", "item")
        table = table.filter(
            pl.all_horizontal(pl.col(c).is_not_null() for c in ("rate", "severity", "duration_months"))
        )
        if table.is_empty():
            raise NotCoveredError(
                "no cell has a rate, a severity and a duration",
                cure="Take a wider tier, all forms, or judge what is unknown.",
            )
        names = table["exporter"].to_list()
        _, owner = np.unique(np.array(names), return_inverse=True)

        def four(name: str) -> tuple[Floats, Floats, Floats, Floats]:
            columns = (name, f"{name}_low", f"{name}_high", f"{name}_weight")
            found = [table[c].cast(pl.Float64).fill_null(np.nan).to_numpy() for c in columns]
            return found[0], found[1], found[2], found[3]

        laws = {
            c: table[c].cast(pl.Float64).fill_null(np.nan).to_numpy()
            for c in hazards["distributions"].columns
            if c not in ("exporter", "item")
        }
        scope = dict(hazards["correlation"].select("scope", "correlation").iter_rows())
        year = float(scope["one year"])
        both = float(scope["one exporter, one year"])
        return cls(
            tuple(names), tuple(table["item"].to_list()), tuple(table["forms"].to_list()), owner,
            four("rate"), four("severity"), four("onset_days"), four("duration_months"), laws, year,
            max(0.0, both - year),
        )  # fmt: skip

    def draw(self, rng: np.random.Generator, number: int, begin: date, years: int) -> list[tuple[Any, ...]]:
        """Return the events of one future; an exporter does not cut again what it still withholds."""
        count = len(self.exporters)
        rates = self._rates(rng.random(count))
        until = np.full(count, -np.inf)
        rows = []
        for year in range(years):
            common, capitals = rng.standard_normal(), rng.standard_normal(int(self.owner.max()) + 1)
            alone, moments = rng.standard_normal(count), rng.random(count)
            how = rng.random((3, count))
            latent = (
                np.sqrt(self.shared) * common
                + np.sqrt(self.own) * capitals[self.owner]
                + np.sqrt(1 - self.shared - self.own) * alone
            )
            hit = ndtr(latent) < -np.expm1(-rates)
            for k in np.flatnonzero(hit):
                day = 365.25 * (year + moments[k])
                if day < until[k]:
                    continue
                wait = self._onset(int(k), how[0, k])
                months = max(self._duration(int(k), how[1, k]), 1.0)
                told = begin + timedelta(days=int(day))
                effective = told + timedelta(days=round(wait))
                ends = effective + timedelta(days=round(MONTH * months))
                until[k] = day + wait + MONTH * months
                hard = min(1.0, max(0.0, self._severity(int(k), how[2, k])))
                rows.append(
                    (number, self.exporters[k], self.items[k], self.forms[k], told, effective, ends, hard)
                )
        return sorted(rows, key=lambda row: (row[5], row[1], row[2]))

    def _rates(self, chance: Floats) -> Floats:
        """Draw rates: gamma by the model, log-normal where a judgement has a weight."""
        value, low, high, weight = self.rate
        judged = np.array([_two_piece(*row) for row in zip(value, low, high, chance, strict=True)])
        shape = np.nan_to_num(self.laws["rate_shape"], nan=1.0)
        model = gamma.ppf(chance, shape, scale=value / shape)
        return np.asarray(np.where(weight > 0, judged, model))

    def _severity(self, k: int, chance: float) -> float:
        value, low, high, weight = (column[k] for column in self.severity)
        if weight > 0:
            return _two_piece(value, low, high, chance)
        floor, a, b = (self.laws[f"severity_{name}"][k] for name in ("floor", "a", "b"))
        return float(floor + (1 - floor) * beta.ppf(chance, a, b))

    def _onset(self, k: int, chance: float) -> float:
        value, low, high, weight = (column[k] for column in self.onset)
        if weight > 0:
            return _two_piece(value, low, high, chance)
        mean, spread = self.laws["onset_mean"][k], self.laws["onset_spread"][k]
        return 0.0 if np.isnan(mean) else float(max(0.0, np.expm1(mean + spread * ndtri(chance))))

    def _duration(self, k: int, chance: float) -> float:
        value, low, high, weight = (column[k] for column in self.duration)
        if weight > 0:
            return _two_piece(value, low, high, chance)
        shape, scale = self.laws["duration_shape"][k], self.laws["duration_scale"][k]
        return float(min(scale * (-np.log1p(-chance)) ** (1 / shape), 1200.0))

    def findings(self) -> tuple[Finding, ...]:
        """Tell what is assumed."""
        text = (
            "Within a year events of one exporter hang together as in the past; severity and duration are"
            " drawn one by one."
        )
        return (
            Finding("hazard-draws-assumption", "info", text, {"year": self.shared, "exporter": self.own}),
        )


def _two_piece(value: float, low: float, high: float, chance: float) -> float:
    """Return a quantile of a distribution with this median and 80 % interval, log-normal on either side."""
    z = float(ndtri(chance)) / Z80
    end = high if z > 0 else low
    if value <= 0 or end <= 0:
        return float(value + abs(z) * (end - value))
    return float(value * (end / value) ** abs(z))


def _chances(table: pl.DataFrame, model: _Model, draws: int) -> pl.DataFrame:
    counted = table.group_by("exporter", "item").agg(pl.col("draw").n_unique().alias("hits"))
    cells = pl.DataFrame(
        {"exporter": model.exporters, "item": model.items, "expected": -np.expm1(-model.rate[0])}
    )
    joined = cells.join(counted, on=["exporter", "item"], how="left").with_columns(
        pl.col("hits").fill_null(0)
    )
    return joined.with_columns(chance=pl.col("hits") / draws).sort("exporter", "item")


def _summary(table: pl.DataFrame, draws: int) -> pl.DataFrame:
    several = table.group_by("draw", "exporter").agg(pl.col("item").n_unique()).filter(pl.col("item") > 1)
    rows = {
        "draws": float(draws),
        "events": float(table.height),
        "share of draws with an event": table["draw"].n_unique() / draws,
        "share of draws in which one exporter cuts several items": several["draw"].n_unique() / draws,
    }
    return pl.DataFrame({"name": list(rows), "value": list(rows.values())})


_DERIVATIONS = (
    Derivation("draws", "severity", "E147", (), "Quantile of the distribution of the cell."),
    Derivation("draws", "effective", "E148", (), "Latent variable below the quantile of the year's chance."),
    Derivation("chances", "chance", "E148", ("draws.effective",), "Draws with an event over draws."),
)
