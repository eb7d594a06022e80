"""Concentration: how few suppliers there are, as the sum of squared shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION, MEMBERS
from evernormal.errors import InputError
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["concentration", "herfindahl"]


def herfindahl(shares: npt.ArrayLike) -> np.float64 | npt.NDArray[np.float64]:
    """Return the Herfindahl-Hirschman index of shares, 0 to 1 (equation E100).

    Args:
        shares: fractions along the last axis, each 0 to 1, that sum to at most 1.  A sum below 1 says that
            the rest is spread over suppliers too small to count: the index is then a lower bound.  A share
            that is not known is NaN and makes the index NaN (law 2).

    Raises:
        InputError: a share outside 0..1, or shares that sum to more than 1: these are amounts.

    >>> float(round(herfindahl([0.5, 0.3, 0.2]), 12))
    0.38
    >>> herfindahl([[1.0, 0.0], [0.5, 0.5]]).tolist()
    [1.0, 0.5]
    """
    values = np.asarray(shares, dtype=np.float64)
    if values.ndim == 0:
        raise InputError("shares must be a list or an array, got one number")
    known = values[~np.isnan(values)]
    if known.size and not (known.min() >= 0 and known.max() <= 1 + 1e-9):
        raise InputError(
            f"a share must be from 0 to 1, got {known.min():g} to {known.max():g}",
            where="shares",
            cure="Divide each amount by the total first.",
        )
    sums = values.sum(axis=-1)
    if np.any(sums > 1 + 1e-6):
        raise InputError(f"shares sum to {np.nanmax(sums):g}, more than 1", where="shares")
    squared: np.float64 | npt.NDArray[np.float64] = (values * values).sum(axis=-1)
    return squared


def concentration(
    importers: Iterable[str] | None = None,
    codes: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return how concentrated every importer's suppliers are, per code and year, by value and by quantity.

    Args:
        importers: ISO 3166 alpha-3, or ``EU``: its 27 members as one country, trade among them left out; None
            for all countries.
        codes: six-digit codes; None for all.  The codes of a form: ``form(name).trade_codes``.
        years: calendar years; None for all.
        dataset: as in :func:`evernormal.data.trade`.
        folder: as in :func:`evernormal.data.trade`.
        as_of: as in :func:`evernormal.data.trade`.

    Returns:
        Result ``concentration`` with table ``concentration``: importer, code, year, suppliers (count),
        hhi_value, hhi_quantity (equation E100; the latter over the shipments whose quantity is known, null
        when none is), largest (supplier by value), largest_share (of value), quantity_unknown (share of the
        value whose quantity is unknown).

    Raises:
        InputError, UnknownNameError, NotCoveredError: as :func:`evernormal.data.trade`.

    >>> rows = concentration(["KOR"], ["282520"], [2023])["concentration"]
    >>> rows.select("largest", pl.col("hhi_value").round(2)).row(0)
    ('CHN', 0.67)
    """
    from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

    asked = [None if n is None else [n] if isinstance(n, str) else list(n) for n in (codes, importers)]
    wanted = None if years is None else list(years)
    where: dict[str, Any] = {"years": wanted, "dataset": dataset, "folder": folder, "as_of": as_of}
    table = _indices(_imports(trade, asked[0], asked[1], where))
    call: dict[str, object] = {"importers": asked[1], "codes": asked[0], "years": wanted, "dataset": dataset}
    call["as_of"] = None if as_of is None else str(as_of)
    units = dict.fromkeys(("hhi_value", "hhi_quantity", "largest_share", "quantity_unknown"), "fraction")
    return Result(
        "concentration",
        {"concentration": table},
        {"concentration": units},
        _lineage(call, dataset, folder, as_of),
        _findings(table),
    )


def _imports(
    trade: Callable[..., pl.DataFrame],
    codes: list[str] | None,
    importers: list[str] | None,
    where: Mapping[str, Any],
) -> pl.DataFrame:
    """Trade rows of the importers; those of the European Union are its members' from outside."""
    if importers is None or EUROPEAN_UNION not in importers:
        return trade(codes, importers, **where)
    union = trade(codes, MEMBERS, **where).filter(~pl.col("exporter").is_in(MEMBERS))
    union = union.with_columns(importer=pl.lit(EUROPEAN_UNION))
    others = [name for name in importers if name != EUROPEAN_UNION]
    return pl.concat([union, trade(codes, others, **where)]) if others else union


def _indices(flows: pl.DataFrame) -> pl.DataFrame:
    """One row per importer, code and year; whole units are summed, so that order cannot matter (law 7)."""
    value, quantity = pl.col("value_usd"), pl.col("quantity_t")
    keys = ["importer", "code", "year"]
    each = flows.group_by(*keys, "exporter").agg(
        value.sum(), pl.when(quantity.count() > 0).then(quantity.sum()).alias("quantity_t"),
        value.filter(quantity.is_null()).sum().alias("blank"),
    ).sort(*keys, "exporter")  # fmt: skip
    share_v, share_q = value / value.sum(), quantity / quantity.sum()
    largest = pl.col("exporter").sort_by(value, pl.col("exporter"), descending=[True, False]).first()
    return (
        each.group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("suppliers"),
            pl.when(value.sum() > 0).then((share_v**2).sum()).alias("hhi_value"),
            pl.when(quantity.sum() > 0).then((share_q**2).sum()).alias("hhi_quantity"),
            largest.alias("largest"),
            pl.when(value.sum() > 0).then(share_v.max()).alias("largest_share"),
            pl.when(value.sum() > 0).then(pl.col("blank").sum() / value.sum()).alias("quantity_unknown"),
        )
        .sort(keys)
    )


def _findings(table: pl.DataFrame) -> tuple[Finding, ...]:
    partly = table.filter(pl.col("quantity_unknown") > 0)
    if partly.is_empty():
        return ()
    text = (
        f"{partly.height} of {table.height} indices by quantity leave out shipments of unknown quantity;"
        " column quantity_unknown says what share of the value that is."
    )
    return (Finding("concentration-quantity-unknown", "caution", text, {"rows": partly.height}),)


def _lineage(
    call: dict[str, object], dataset: str | None, folder: str | Path | None, as_of: date | str | None
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.store import vintage  # noqa: PLC0415 - the user's store

    if dataset is not None and folder is not None:
        from evernormal.data.schema import day  # noqa: PLC0415

        used: tuple[Input, ...] = (vintage(dataset, folder, kind="trade", as_of=day(as_of)).as_input(),)
    else:
        used = inputs("trade")
    text = "Sum of squared shares of the suppliers of one importer, code and year."
    derived = tuple(
        Derivation("concentration", name, "E100", (), text) for name in ("hhi_value", "hhi_quantity")
    )
    return Lineage(__version__, used, derivations=derived, call=call)
