"""Dependence of a country on its suppliers: net import reliance, shares against thresholds, N-1.

Amounts are tonnes contained (equation E22).  Domestic production is known for the forms that World Mining
Data counts; for any other form it is unknown, and what needs it is null with a finding (law 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.errors import InputError, LabelError, NotCoveredError
from evernormal.network.form_tables import Form
from evernormal.result import Derivation, Finding, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS

__all__ = ["n_minus_one", "net_import_reliance", "remaining_supply", "supplier_shares"]

_AMOUNTS = ("production_t", "imports_t", "exports_t")
_TONNES = {"t": 1.0, "kg": 1e-3}


def remaining_supply(supply: npt.ArrayLike, demand: npt.ArrayLike) -> np.float64 | npt.NDArray[np.float64]:
    """Return what is left of supply without its largest supplier, over demand (equation E107).

    Args:
        supply: amount per supplier on the last axis, any unit, at least 0.
        demand: amount in the same unit, above 0, one per row of ``supply``.

    Returns:
        Fraction of demand; at least 1 when demand is met without the largest supplier.  NaN where an amount
        is NaN (law 2).

    Raises:
        InputError: a negative supply, no supplier, or a demand that is not above 0.
        LabelError: shapes that do not fit.

    >>> float(remaining_supply([60.0, 30.0, 10.0], 80.0))
    0.5
    """
    amounts, wanted = np.asarray(supply, dtype=np.float64), np.asarray(demand, dtype=np.float64)
    if amounts.ndim == 0 or amounts.shape[-1] == 0:
        raise InputError("supply must have one amount per supplier", where="supply")
    if np.any(amounts < 0):
        raise InputError(f"supply must be at least 0, got {np.nanmin(amounts):g}", where="supply")
    if np.any(wanted <= 0):
        raise InputError(f"demand must be above 0, got {np.nanmin(wanted):g}", where="demand")
    left = amounts.sum(axis=-1) - amounts.max(axis=-1)
    try:
        fraction: np.float64 | npt.NDArray[np.float64] = left / wanted
    except ValueError as error:
        raise LabelError(
            f"shapes do not fit: supply {amounts.shape}, demand {wanted.shape}",
            cure="Give one demand per row of supply.",
        ) from error
    return fraction


def net_import_reliance(
    form: str,
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    *,
    focal: str = "KOR",
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return how much of its own use a country covers by net imports of a form (equation E106).

    Args:
        form: form whose codes the shipped trade holds, such as ``nickel/ore``.
        countries: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country); None for ``focal`` alone.
        years: calendar years; None for every year that the trade table holds.
        focal: the one country, where ``countries`` is left out.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``net-import-reliance`` with table ``reliance``: country, year, production_t, imports_t,
        exports_t (t contained; null unknown), net_imports_t, apparent_use_t (production + net imports),
        reliance (fraction 0 to 1; null where production is unknown or nothing is used).

    Raises:
        UnknownNameError: no such form or country.
        NotCoveredError: no code of its own shows the form, or no trade of these years.

    >>> table = net_import_reliance("nickel/ore", ["KOR"], [2022])["reliance"]
    >>> table.select("production_t", "reliance").row(0)
    (0.0, 1.0)
    """
    where = _Where(dataset, folder, as_of)
    names, period, found = _asked(form, [focal] if countries is None else countries, years, where)
    table, _ = _balance(found, names, period, where)
    net, use = pl.col("imports_t") - pl.col("exports_t"), pl.col("apparent_use_t")
    reliance = pl.when(net <= 0).then(0.0).when(use > 0).then(net / use).clip(0, 1)
    shown = table.with_columns(
        net_imports_t=net, reliance=pl.when(pl.col("production_t").is_not_null()).then(reliance)
    ).select("country", "year", *_AMOUNTS, "net_imports_t", "apparent_use_t", "reliance")
    units = {**dict.fromkeys((*_AMOUNTS, "net_imports_t", "apparent_use_t"), "t contained"),
             "reliance": "fraction"}  # fmt: skip
    text = "Net imports over production and net imports; 0 for a net exporter."
    derived = (
        Derivation("reliance", "reliance", "E106", tuple(f"reliance.{amount}" for amount in _AMOUNTS), text),
    )
    lineage = _lineage(form, names, period, where, derived)
    findings = _balance_findings(found, table)
    return Result("net-import-reliance", {"reliance": shown}, {"reliance": units}, lineage, findings)


def n_minus_one(
    form: str,
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    *,
    focal: str = "KOR",
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return what share of a country's use is left when its largest supplier abroad fails (equation E107).

    Supply is domestic production and imports by supplier; demand is apparent use, production plus net
    imports.  With arrays of your own: :func:`remaining_supply`.

    Args:
        form: form whose codes the shipped trade holds.
        countries: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country); None for ``focal`` alone.
        years: calendar years; None for every year that the trade table holds.
        focal: the one country, where ``countries`` is left out.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``n-minus-one`` with table ``n_minus_one``: country, year, largest (supplier abroad),
        largest_t, supply_t, apparent_use_t (t contained), remaining (fraction of apparent use; above 1 when
        the rest is more than enough; null where production is unknown).

    Raises:
        UnknownNameError, NotCoveredError: as :func:`net_import_reliance`.

    >>> n_minus_one("nickel/ore", ["KOR"], [2022])["n_minus_one"]["largest"].item()
    'NCL'
    """
    where = _Where(dataset, folder, as_of)
    names, period, found = _asked(form, [focal] if countries is None else countries, years, where)
    table, flows = _balance(found, names, period, where)
    each = (
        flows.filter(pl.col("importer").is_in(names))
        .group_by(pl.col("importer").alias("country"), "year", "exporter")
        .agg(pl.col("contained_t").sort().sum())
        .sort("country", "year", "contained_t", "exporter", descending=[False, False, True, False])
        .group_by("country", "year", maintain_order=True)
        .agg(pl.col("exporter").first().alias("largest"), pl.col("contained_t").first().alias("largest_t"))
    )
    shown = table.join(each, on=["country", "year"], how="left", maintain_order="left").with_columns(
        supply_t=pl.col("production_t") + pl.col("imports_t")
    )
    left = (pl.col("supply_t") - pl.col("largest_t")) / pl.col("apparent_use_t")
    shown = shown.with_columns(remaining=pl.when(pl.col("apparent_use_t") > 0).then(left))
    amounts = ("largest_t", "supply_t", "apparent_use_t")
    shown = shown.select("country", "year", "largest", *amounts, "remaining")
    units = {**dict.fromkeys(amounts, "t contained"), "remaining": "fraction"}
    text = "Supply without the largest supplier abroad, over apparent use."
    of = "n_minus_one"
    derived = (Derivation(of, "remaining", "E107", tuple(f"{of}.{amount}" for amount in amounts), text),)
    lineage = _lineage(form, names, period, where, derived)
    return Result("n-minus-one", {of: shown}, {of: units}, lineage, _balance_findings(found, table))


def supplier_shares(
    form: str,
    focal: str = "KOR",
    years: Iterable[int] | None = None,
    by: Literal["value", "quantity"] = "value",
    *,
    one_country: float = 0.5,
    neighbours: Iterable[str] = (),
    neighbouring_countries: float = 0.75,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return the suppliers of a form and whether a threshold of the Korean early warning is reached.

    Args:
        form: form name; one without a code of its own is read from published shares.
        focal: importing country, ISO 3166 alpha-3, or ``EU`` (its 27 members as one country).
        years: calendar years; None for all.
        by: shares of ``value`` or of ``quantity``.
        one_country: threshold on the largest supplier, fraction.
        neighbours: ISO 3166 alpha-3 of the countries that count as neighbouring; without any that rule is
            not judged.
        neighbouring_countries: threshold on all neighbours together, fraction; two of them must supply
            (equation E117).
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a trade data set that ``evernormal data add`` stored.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``supplier-shares`` with table ``shares`` as :func:`evernormal.data.supplier_shares`, and
        ``thresholds``: year, rule (``one country`` or ``neighbouring countries``), countries, share,
        threshold (fractions), reached.  A year with several published figures is judged by each.

    Raises:
        InputError: a threshold outside 0..1, or an unknown ``by``.
        UnknownNameError, NotCoveredError: no such form or country; nothing shows the form.

    >>> judged = supplier_shares("lithium/hydroxide", "KOR", [2023])["thresholds"]
    >>> judged.select("rule", "countries", "reached").row(0)
    ('one country', 'CHN', True)
    """
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables
    from evernormal.network.suppliers import suppliers  # noqa: PLC0415

    years = None if years is None else list(years)
    near = check_iso3(neighbours, where="neighbours")
    for name, value in (("one_country", one_country), ("neighbouring_countries", neighbouring_countries)):
        if not 0 <= value <= 1:
            raise InputError(f"{name} must be from 0 to 1, got {value:g}", cure="Give a fraction.")
    found = suppliers(focal, form, by, years, dataset=dataset, folder=folder, as_of=as_of)
    shares = found["shares"].filter(pl.col("share").is_not_null())
    keys = ["year", *(c for c in ("period", "definition", "source") if c in shares.columns)]
    ranked = shares.sort(*keys, "share", "supplier", descending=[False] * len(keys) + [True, False])
    first = ranked.group_by(keys, maintain_order=True).first()
    rules = [(first.with_columns(several=pl.lit(value=True)), "one country", one_country)]
    if near:
        theirs = pl.col("share").filter(pl.col("supplier").is_in(near))
        together = ranked.group_by(keys, maintain_order=True).agg(
            theirs.sort().sum(), pl.lit(", ".join(near)).alias("supplier"),
            ((theirs > 0).sum() >= 2).alias("several"),
        )  # fmt: skip
        rules.append((together, "neighbouring countries", neighbouring_countries))
    judged = pl.concat(
        rows.select(
            "year", pl.lit(rule).alias("rule"), pl.col("supplier").alias("countries"), "share",
            pl.lit(float(limit)).alias("threshold"),
            ((pl.col("share") >= limit) & pl.col("several")).alias("reached"),
        )
        for rows, rule, limit in rules
    ).sort("year", "rule", descending=[False, True])  # fmt: skip
    findings = found.findings
    if not near:
        text = "The threshold on neighbouring countries is not judged: say which countries are neighbours."
        findings = (*findings, Finding("neighbours-not-named", "info", text, {"focal": focal}))
    units = {**found.units, "thresholds": {"share": "fraction", "threshold": "fraction"}}
    asked: dict[str, Any] = {"form": form, "focal": focal, "years": years, "by": by}
    limits = {
        "one_country": one_country,
        "neighbours": near,
        "neighbouring_countries": neighbouring_countries,
    }
    asked |= {"dataset": dataset, "as_of": None if as_of is None else str(as_of)}
    lineage = replace(found.lineage, call=asked | limits)
    return Result("supplier-shares", {**found.tables, "thresholds": judged}, units, lineage, findings)


@dataclass(frozen=True)
class _Where:
    """Which trade is read, and as of which day."""

    dataset: str | None
    folder: str | Path | None
    as_of: date | str | None

    def trade(self, codes: Sequence[str], years: Iterable[int] | None = None) -> pl.DataFrame:
        """Return trade rows of codes."""
        from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

        return trade(codes, years=years, dataset=self.dataset, folder=self.folder, as_of=self.as_of)

    def codes(self, found: Form) -> tuple[str, ...]:
        """Return the codes of a form that the trade holds, in its revision."""
        from evernormal.data.trade_table import trade_table  # noqa: PLC0415 - opens the snapshot
        from evernormal.network.load import codes_in  # noqa: PLC0415

        if self.dataset is None:
            return found.trade_codes
        table = trade_table(self.dataset, self.folder, self.as_of)
        held = {f"{code:06d}" for code in table.codes}
        return tuple(code for code in codes_in(found, table.revision) if code in held)


def _asked(
    form: str, countries: Iterable[str], years: Iterable[int] | None, where: _Where
) -> tuple[list[str], list[int], Form]:
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables
    from evernormal.network.forms import form as form_of  # noqa: PLC0415 - reads tables

    found = form_of(form)
    listed = list(dict.fromkeys([countries] if isinstance(countries, str) else countries))
    check_iso3([name for name in listed if name != EUROPEAN_UNION], where="countries")
    names = listed
    codes = where.codes(found)
    if years is None and codes:
        years = sorted(set(where.trade(codes)["year"].cast(pl.Int64).to_list()))
    period = list(dict.fromkeys([years] if isinstance(years, int) else years or ()))
    if not codes:
        raise NotCoveredError(
            f"no customs code of the trade at hand shows {form} apart",
            where=f"form {form!r}, coverage {found.coverage!r}",
            cure="Ask for supplier_shares, which also reads published shares.",
        )
    if not names or not period:
        raise InputError("nothing to compute", cure="Give at least one country and one year.")
    return names, period, found


def _balance(
    found: Form, names: list[str], years: list[int], where: _Where
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Production, imports and exports per country and year, in contained tonnes; and the imports' rows."""
    from evernormal.network.observations import contained_rows  # noqa: PLC0415

    flows = contained_rows(where.trade(where.codes(found), years), found)
    flows = flows.filter(pl.col("exporter") != pl.col("importer")).with_columns(pl.col("year").cast(pl.Int64))
    union = _of_union(flows) if EUROPEAN_UNION in names else flows.clear()
    table = pl.DataFrame({"country": names}).join(
        pl.DataFrame({"year": years}, schema={"year": pl.Int64}), how="cross", maintain_order="left"
    )
    for side, name in (("importer", "imports_t"), ("exporter", "exports_t")):
        # the Union's flows count for the Union alone: for others the members trade, each for itself
        rows = pl.concat([flows, union.filter(pl.col(side) == EUROPEAN_UNION)])
        sums = rows.group_by(pl.col(side).alias("country"), "year").agg(
            pl.col("contained_t").sort().sum().alias(name)
        )
        table = table.join(sums, on=["country", "year"], how="left", maintain_order="left")
    table = table.join(
        _production(found, names, years, where.as_of),
        on=["country", "year"],
        how="left",
        maintain_order="left",
    )
    known = pl.col("imports_t").is_not_null() | pl.col("exports_t").is_not_null()
    table = table.with_columns(
        *(pl.when(known).then(pl.col(name).fill_null(0.0)).alias(name) for name in ("imports_t", "exports_t"))
    )
    use = pl.col("production_t") + pl.col("imports_t") - pl.col("exports_t")
    imported = pl.concat([flows, union.filter(pl.col("importer") == EUROPEAN_UNION)])
    return table.with_columns(apparent_use_t=use), imported


def _of_union(flows: pl.DataFrame) -> pl.DataFrame:
    """Trade of the European Union's members with others, under the Union's name."""
    sides = [pl.col(side).is_in(list(MEMBERS)) for side in ("exporter", "importer")]
    outer = flows.filter(sides[0] != sides[1])
    return outer.with_columns(
        *(
            pl.when(inside).then(pl.lit(EUROPEAN_UNION)).otherwise(pl.col(side)).alias(side)
            for side, inside in zip(("exporter", "importer"), sides, strict=True)
        )
    )


def _production(found: Form, names: list[str], years: list[int], as_of: date | str | None) -> pl.DataFrame:
    """Production in contained tonnes.

    Null where the publisher has no figures for the year, lists the country without one, or was not knowable
    yet (law 11); 0 for a country that it does not list among the producers of the year.
    """
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.schema import day  # noqa: PLC0415
    from evernormal.data.snapshot import source_day  # noqa: PLC0415

    empty = pl.DataFrame(schema={"country": pl.String, "year": pl.Int64, "production_t": pl.Float64})
    known_on = day(as_of)
    late = known_on is not None and known_on < source_day("production")
    if late or not found.production_source or found.production_factor is None:
        return empty
    rows = production([found.production_source.partition(":")[2]], years=years)
    rows = rows.select("country", pl.col("year").cast(pl.Int64), "value", "unit")
    if EUROPEAN_UNION in names:
        inside = rows.filter(pl.col("country").is_in(list(MEMBERS)))
        blank = pl.col("value").is_null().any()
        union = inside.group_by("year", "unit").agg(
            pl.when(~blank).then(pl.col("value").sort().sum()).alias("value")
        )
        rows = pl.concat(
            [rows, union.select(pl.lit(EUROPEAN_UNION).alias("country"), "year", "value", "unit")]
        )
    covered = sorted(set(rows.filter(pl.col("value").is_not_null())["year"].to_list()))
    every = pl.DataFrame({"country": names}).join(
        pl.DataFrame({"year": covered}, schema={"year": pl.Int64}), how="cross"
    )
    scale = pl.col("unit").replace_strict(_TONNES, return_dtype=pl.Float64) * found.production_factor
    listed = rows.select("country", "year", (pl.col("value") * scale).alias("production_t"))
    unlisted = every.join(listed, on=["country", "year"], how="anti")
    return pl.concat(
        [
            every.join(listed, on=["country", "year"], how="inner"),
            unlisted.with_columns(pl.lit(0.0).alias("production_t")),
        ]
    ).sort("country", "year")


def _balance_findings(found: Form, table: pl.DataFrame) -> tuple[Finding, ...]:
    findings = []
    for name, code, why in (
        ("production_t", "domestic-production-unknown", "no statistics of its production are shipped"),
        ("imports_t", "trade-unrecorded", "nobody reported trade"),
    ):
        blank = table.filter(pl.col(name).is_null()).height
        if blank:
            text = f"{found.name}: in {blank} of {table.height} rows {why}: unknown, not zero."
            findings.append(Finding(code, "warning", text, {"form": found.name, "rows": blank}))
    return tuple(findings)


def _lineage(
    form: str,
    names: list[str],
    years: list[int],
    where: _Where,
    derived: tuple[Derivation, ...],
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.trade_table import trade_table  # noqa: PLC0415 - opens the snapshot

    call = {"form": form, "countries": names, "years": years, "dataset": where.dataset}
    call["as_of"] = None if where.as_of is None else str(where.as_of)
    pinned = trade_table(where.dataset, where.folder, where.as_of).input
    return Lineage(__version__, (pinned, *inputs("production")), (), derived, call=call)
