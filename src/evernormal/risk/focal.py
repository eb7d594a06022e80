"""Supply risk of any country by the method of the European Union: its own suppliers in place of the Union's.

What the method needs and nobody publishes for the country (recycling input rate, substitution, production
that no statistics count) is not filled in: the score then has two ends (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.schema import day
from evernormal.data.trade_table import TradeTable, trade_table
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network.forms import Form
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result
from evernormal.risk.cells import EUROPEAN_UNION, reporters
from evernormal.risk.european_union import eu_supply_risk_interval
from evernormal.risk.focal_sums import Read, Weights, codes_of_form, form_sums, weights_of
from evernormal.risk.world_tables import require_governance

__all__ = ["supply_risk"]

Numbers = npt.NDArray[np.float64]

_SCORES = (
    "hhi_global",
    "hhi_sourcing",
    "import_reliance",
    "supply_risk",
    "supply_risk_low",
    "supply_risk_high",
)


def supply_risk(
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    forms: Iterable[str] | None = None,
    *,
    trade_parameter: float | Mapping[str, float] = 1.0,
    eol_recycling_input_rate: float | Mapping[str, float] | None = None,
    substitution: float | Mapping[str, float] | None = None,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return the supply risk of every country, form and year by the method of the European Union.

    World supply is production where it is counted; a country's own supply is what it produces and imports
    (equations E104, E105, E110).  Governance is the shipped political stability; the Commission averages six
    dimensions, so a score is comparable with ours and not with a published one.

    Args:
        countries: ISO 3166 alpha-3 codes, or ``EU`` for the 27 members; None for all and the EU.
        years: 2018 to 2024; None for all.
        forms: forms with codes of their own in the shipped trade, such as ``nickel/ore``; None for all whose
            production is counted too.
        trade_parameter: the parameter t of each supplier by ISO 3166 alpha-3, 1 for those not named, or one
            number for all.
        eol_recycling_input_rate: by form, or one number; unknown where not given.
        substitution: substitution index for supply risk by form, or one number; unknown where not given.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``supply-risk`` with table ``supply_risk``: country, form, year, hhi_global (null where
        production is not counted), hhi_sourcing, import_reliance (null where the country's own production is
        unknown), supply_risk (null where its two ends differ), supply_risk_low, supply_risk_high (null where
        no trade of the country is recorded); and ``amounts``: country, form, year, production_t, imports_t,
        exports_t (t contained).

    Raises:
        UnknownNameError: a country or a form that does not exist; names the nearest.
        NotCoveredError: no code of its own shows a form, a year without shipped governance, or nothing was
            knowable on ``as_of``.
        InputError: nothing to compute, or a fraction outside its range.

    >>> row = supply_risk(["KOR"], [2022], ["nickel/ore"])["supply_risk"].row(0, named=True)
    >>> row["supply_risk"], round(row["supply_risk_high"], 1), row["import_reliance"]
    (None, 2.0, 1.0)
    """
    require_governance(day(as_of))
    wanted, period = _countries(countries), _years(years)
    trade = trade_table(dataset, folder, as_of)
    chosen = _forms(forms, trade)
    recycled = _by_form(eol_recycling_input_rate, chosen, "eol_recycling_input_rate")
    index = _by_form(substitution, chosen, "substitution")
    weights = weights_of(period, trade_parameter)
    parts = [form_sums(one, period, weights, Read(dataset, folder, as_of)) for one in chosen]
    columns = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
    rows = [[*reporters(), EUROPEAN_UNION].index(name) for name in wanted]
    columns = {name: values[rows] for name, values in columns.items()}
    scores = _scores(columns, recycled[None, :, None], index[None, :, None])
    names = [one.name for one in chosen]
    keys = _keys(wanted, names, period)
    tables = {
        "supply_risk": _frame(keys, {name: scores[name] for name in _SCORES}),
        "amounts": _frame(
            keys, {f"{name}_t": columns[name] for name in ("production", "imports", "exports")}
        ),
    }
    call = {
        "countries": wanted,
        "years": period,
        "forms": names,
        "trade_parameter": dict(trade_parameter) if isinstance(trade_parameter, Mapping) else trade_parameter,
        "eol_recycling_input_rate": _given(eol_recycling_input_rate),
        "substitution": _given(substitution),
        "as_of": None if as_of is None else str(as_of),
        "dataset": dataset,
    }
    findings = _findings(columns, recycled, index, weights)
    lineage = _lineage(call, trade_parameter, trade.input)
    return Result("supply-risk", tables, _units(), lineage, findings)


def _scores(columns: dict[str, Numbers], recycled: Numbers, index: Numbers) -> dict[str, Numbers]:
    """Score each cell, and its two ends."""
    world = (columns["global_low"], columns["global_high"])
    own = (columns["sourcing_low"], columns["sourcing_high"])
    reliance = columns["reliance"]
    shape = reliance.shape
    recycled, index = np.broadcast_to(recycled, shape), np.broadcast_to(index, shape)
    middle = [np.where(np.isclose(low, high), low, np.nan) for low, high in (world, own)]
    low, _ = eu_supply_risk_interval(world[0], own[0], reliance, recycled, index, rounded=False)
    _, high = eu_supply_risk_interval(world[1], own[1], reliance, recycled, index, rounded=False)
    unseen = np.isnan(own[0]) & np.isnan(own[1])
    return {
        "hhi_global": middle[0],
        "hhi_sourcing": middle[1],
        "import_reliance": reliance,
        "supply_risk": np.where(np.isclose(low, high) & ~unseen, low, np.nan),
        "supply_risk_low": np.where(unseen, np.nan, low),
        "supply_risk_high": np.where(unseen, np.nan, high),
    }


def _countries(countries: Iterable[str] | None) -> list[str]:
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    every = [*reporters(), EUROPEAN_UNION]
    if countries is None:
        return every
    names = list(dict.fromkeys([countries] if isinstance(countries, str) else countries))
    check_iso3([name for name in names if name != EUROPEAN_UNION], where="countries")
    unseen = [name for name in names if name not in every]
    if unseen:
        raise NotCoveredError(f"the trade table does not report {unseen[0]} apart", where="countries")
    if not names:
        raise InputError("no country to compute", cure="Give at least one, or None for all.")
    return names


def _years(years: Iterable[int] | None) -> list[int]:
    from evernormal.risk.cells import YEARS  # noqa: PLC0415

    period = list(dict.fromkeys([years] if isinstance(years, int) else YEARS if years is None else years))
    if not period or any(isinstance(year, bool) or not isinstance(year, int) for year in period):
        raise InputError(f"years must be whole numbers, at least one, got {period}", where="years")
    return period


def _given(value: float | Mapping[str, float] | None) -> float | dict[str, float] | None:
    return dict(value) if isinstance(value, Mapping) else value


def _forms(forms: Iterable[str] | None, trade: TradeTable) -> list[Form]:
    from evernormal.network.forms import form as form_of  # noqa: PLC0415 - reads tables
    from evernormal.network.forms import forms as every  # noqa: PLC0415

    if forms is None:
        found = [form_of(name) for name in every()["form"].to_list()]
        counted = [one for one in found if one.production_source and one.production_factor]
        return [one for one in counted if codes_of_form(one, trade)]
    found = [form_of(name) for name in dict.fromkeys([forms] if isinstance(forms, str) else forms)]
    if not found:
        raise InputError("no form to compute", cure="Give at least one, or None for all.")
    for one in found:
        if not codes_of_form(one, trade):
            raise NotCoveredError(
                f"no customs code of the trade at hand shows {one.name} apart",
                where=f"form {one.name!r}",
                cure="Ask for supplier_shares, which also reads published shares.",
            )
    return found


def _by_form(given: float | Mapping[str, float] | None, forms: list[Form], name: str) -> Numbers:
    names = [one.name for one in forms]
    values = np.full(len(names), np.nan)
    if isinstance(given, Mapping):
        for key, value in given.items():
            if key not in names:
                raise UnknownNameError("form", key, names, where=name)
            values[names.index(key)] = value
    elif given is not None:
        values[:] = given
    known = values[~np.isnan(values)]
    if known.size and not (known.min() >= 0 and known.max() <= 1):
        raise InputError(
            f"{name} must be from 0 to 1, got {known.max():g}", where=name, cure="Give a fraction."
        )
    return values


def _keys(countries: list[str], forms: list[str], years: list[int]) -> dict[str, pl.Series]:
    count = len(countries) * len(forms) * len(years)
    place = np.arange(count)
    return {
        "country": pl.Series(countries).gather(place // (len(forms) * len(years))),
        "form": pl.Series(forms).gather(place // len(years) % len(forms)),
        "year": pl.Series(years, dtype=pl.Int64).gather(place % len(years)),
    }


def _frame(keys: dict[str, pl.Series], columns: dict[str, Numbers]) -> pl.DataFrame:
    return pl.DataFrame(
        keys | {name: pl.Series(name, values.ravel(), nan_to_null=True) for name, values in columns.items()}
    )


def _units() -> dict[str, dict[str, str]]:
    amounts = ("production_t", "imports_t", "exports_t")
    return {
        "supply_risk": {**dict.fromkeys(_SCORES, "1"), "import_reliance": "fraction"},
        "amounts": dict.fromkeys(amounts, "t contained"),
    }


def _findings(
    columns: dict[str, Numbers], recycled: Numbers, index: Numbers, weights: Weights
) -> tuple[Finding, ...]:
    text = (
        "Governance is political stability alone; the Commission averages six dimensions: compare these"
        " scores with each other, not with published ones."
    )
    found = [Finding("governance-one-dimension", "caution", text, {})]
    unknown = [name for name, values in (("recycling input rate", recycled), ("substitution index", index))
               if np.isnan(values).any()]  # fmt: skip
    if unknown:
        text = f"Without {' and '.join(unknown)} a score has two ends: supply_risk_low and supply_risk_high."
        found.append(Finding("supply-risk-bounded", "caution", text, {"unknown": unknown}))
    blank = int(np.isnan(columns["reliance"]).sum())
    if blank:
        text = f"In {blank:,} of {columns['reliance'].size:,} cells production or all trade is unknown."
        found.append(
            Finding("supply-unknown", "caution", text, {"cells": blank, "of": columns["reliance"].size})
        )
    if weights.unrated.any():
        count = int(weights.unrated.any(axis=1).sum())
        text = f"{count} countries have no governance: as suppliers they count with 0 and with 10."
        found.append(Finding("supplier-governance-unknown", "caution", text, {"countries": count}))
    return tuple(found)


def _lineage(call: dict[str, object], trade_parameter: float | Mapping[str, float], trade: Input) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    of = "supply_risk"
    derived = (
        Derivation(of, "hhi_global", "E105", (), "Shares of world production."),
        Derivation(of, "hhi_sourcing", "E110", ("amounts.production_t", "amounts.imports_t"),
                   "Shares of imports by supplier and of own production."),
        Derivation(of, "import_reliance", "E106", ("amounts.production_t", "amounts.imports_t",
                   "amounts.exports_t"), "Net imports over production and net imports."),
        Derivation(of, "supply_risk", "E104", (f"{of}.hhi_global", f"{of}.hhi_sourcing",
                   f"{of}.import_reliance"), "World and own concentration, mixed by import reliance."),
        Derivation(of, "supply_risk_low", "E108", (), "Least score that the known inputs allow."),
        Derivation(of, "supply_risk_high", "E108", (), "Greatest score that the known inputs allow."),
    )  # fmt: skip
    parameters: tuple[Parameter, ...] = ()
    if not isinstance(trade_parameter, Mapping):
        why = "assumption: every supplier trades without restriction or agreement"
        number = float(trade_parameter)
        parameters = (Parameter("trade_parameter", number, number, number, "1", "C", why),)
    return Lineage(__version__, (trade, *inputs("production", "governance")), parameters, derived, call=call)
