"""What a shortage costs beyond the plant that stops: a loss by end use, through an input-output table.

Two questions are kept apart.  *Backward*: a plant that stops buys less, so its suppliers lose orders.  The
mixed model answers it (equation E151): output of the plants that lack the mineral is given, all other output
follows demand.  Multiplying the loss by Leontief's inverse instead would count the plant's own output again
each time that it uses its own goods, so the mixed model is taken.  *Forward*: users of what the plant does
not make lack it.  Ghosh's supply-driven model is not used for that, because in it any input replaces any
other (Oosterhaven 1988).  The loss has a lower end, when final use and exports give way first (equation
E152), and an upper end, when everybody gets the same share less and nothing replaces it (equation E153).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evernormal.errors import InputError
from evernormal.market.economy_inputs import Losses, allocated, end_use_sectors, losses_by_use
from evernormal.market.input_output_algebra import (
    best_allocation,
    bottleneck,
    coefficients,
    ghosh_inverse,
    limited_output,
)
from evernormal.market.input_output_table import InputOutput
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result

__all__ = ["propagate_loss"]

Floats = NDArray[np.float64]

NEGLIGIBLE = 1e-12


def propagate_loss(
    losses: Losses,
    table: InputOutput,
    *,
    sectors: Mapping[str, str] | None = None,
    of: str = "value_added",
    months: float | None = None,
    per_usd: float | None = None,
) -> Result:
    """Carry a loss through an input-output table (equations E151 to E153).

    Args:
        losses: results of :func:`evernormal.simulate` or of :func:`evernormal.market.joint_shortage`, whose
            losses by end use are taken; or sector (or end use) to USD over the period.
        table: the economy; its currency must be USD, or ``per_usd`` says how many of it a USD is.
        sectors: end use to sector of the table, before the shipped mapping.
        of: whether given USD are ``value_added`` (as simulations give) or ``output``.
        months: length of the period; that of the simulation, or 12.
        per_usd: units of the table's currency per USD.

    Returns:
        A Result ``economic-loss``; all in USD over the period.  Tables ``sectors`` (direct, indirect, total,
        highest with nothing replaced, share of output lost), ``end_uses`` (loss and sector), ``imports``
        (what is no longer bought abroad, by origin and sector there), ``summary`` (name, value: direct,
        backward, total, highest, ghosh_for_comparison, unallocated, imports_not_bought).

    Raises:
        InputError: no loss, a negative one, no exchange rate, a loss larger than its sector, or several
            results that lose the same end use (see :func:`evernormal.market.joint_shortage`).
        LabelError: a simulation of another country than the table's.
        UnknownNameError: a sector that the table does not have.

    >>> from evernormal.market.input_output_table import input_output_of
    >>> economy = input_output_of(np.array([[150.0, 500], [200, 100]]), np.array([1000.0, 2000]))
    >>> found = propagate_loss({"s1": 100.0}, economy, of="output")
    >>> round(found.scalar("direct"), 4), round(found.scalar("backward"), 4)  # 65 and 0.7 x 0.2 x 100 / 0.95
    (65.0, 14.7368)
    """
    if of not in ("value_added", "output"):
        raise InputError(f"of must be 'value_added' or 'output', got {of!r}")
    rate = _rate(table, per_usd)
    by_use, period, sources = losses_by_use(losses, months, table.region)
    findings: list[Finding] = []
    uses, direct, unallocated = allocated(by_use, table, sectors or {}, findings)
    scale = period / 12 / rate
    with threadpool_limits(1, "blas"):
        by_sector, imports, ghosh = _carried(table, direct, of, scale, findings)
    findings += _told(table, unallocated, by_use)
    tables = {
        "sectors": by_sector,
        "end_uses": uses,
        "imports": imports,
        "summary": _summary(by_sector, imports, ghosh, unallocated),
    }
    return _result(tables, table, sources, findings, {"of": of, "months": period, "per_usd": rate})


def _rate(table: InputOutput, per_usd: float | None) -> float:
    if per_usd is None and table.currency != "USD":
        raise InputError(
            f"the table is in {table.currency}, losses are in USD",
            where="per_usd",
            cure=f"Give per_usd, how many {table.currency} one USD was in {table.year}.",
        )
    rate = 1.0 if per_usd is None else float(per_usd)
    if not (np.isfinite(rate) and rate > 0):
        raise InputError(f"per_usd must be above 0, got {per_usd}")
    return rate


def _carried(
    table: InputOutput, direct: Floats, of: str, scale: float, findings: list[Finding]
) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    """Return the loss by sector, what is not imported, and Ghosh's figure.

    ``scale`` turns a year in the table's currency into the period in USD.
    """
    output, final = table.output * scale, table.final * scale
    lost = _output_lost(table, direct, of, output)
    worth = np.nan_to_num(table.worth)
    home = coefficients(table.domestic, table.output)
    limit = np.where(lost > 0, output - lost, np.inf)
    kept = limited_output(home, final, limit)
    forced = kept.final < np.minimum(final, 0.0) - NEGLIGIBLE * max(float(output.max()), 1e-300)
    if forced.any():
        kept = best_allocation(home, final, limit, worth)
        findings.append(_forced([table.sectors[k] for k in np.flatnonzero(forced)]))
    gone = np.maximum(output - kept.output, 0.0)
    share = np.divide(lost, output, out=np.zeros_like(lost), where=output > 0)
    worst = np.maximum(output * bottleneck(table.domestic, table.all_imported, share), gone)
    direct_usd = worth * lost
    more = worth * gone - direct_usd
    frame = pl.DataFrame(
        {
            "sector": list(table.sectors),
            "name": [table.names.get(s, "") for s in table.sectors],
            "output_lost_usd": gone,
            "direct_usd": direct_usd,
            "indirect_usd": np.where(more > NEGLIGIBLE * worth * output, more, 0.0),
            "total_usd": np.maximum(worth * gone, direct_usd),
            "highest_usd": worth * worst,
            "share_lost": np.divide(gone, output, out=np.zeros_like(gone), where=output > 0),
        }
    )
    ghosh = float(np.sort(direct_usd @ ghosh_inverse(table.domestic, table.output) * worth).sum())
    return frame, _imports(table, gone), ghosh


def _output_lost(table: InputOutput, direct: Floats, of: str, output: Floats) -> Floats:
    """Return the output behind a loss, refusing what a sector cannot lose."""
    lost, hit, worth = direct.copy(), direct > 0, table.worth
    if of == "value_added":
        bad = [s for s, h, w in zip(table.sectors, hit, worth, strict=True) if h and not w > 0]
        if bad:
            raise InputError(
                f"sector {', '.join(bad)} has no value added that could be lost",
                cure="Map the end use to another sector.",
            )
        lost[hit] = direct[hit] / worth[hit]
    over = lost > output * (1 + 1e-9)
    if over.any():
        k = int(np.argmax(over))
        raise InputError(
            f"the loss is {lost[k]:,.0f} USD of output, sector {table.sectors[k]} makes {output[k]:,.0f}",
            where=table.sectors[k],
            cure="Check unit, exchange rate, period and the mapping of end uses.",
        )
    return lost


def _forced(names: list[str]) -> Finding:
    listed = ", ".join(names)
    text = (
        f"Final use of {listed} is smaller than the shortage: users of it must stop too, even when all final"
        " use gives way first."
    )
    return Finding("forward-forced", "caution", text, {"sectors": listed})


def _imports(table: InputOutput, gone: Floats) -> pl.DataFrame:
    """Return what sectors no longer buy abroad, by origin and by the sector there."""
    rows = []
    for origin in sorted(table.imported):
        amounts = coefficients(table.imported[origin], table.output) @ gone
        rows += [(origin, s, float(v)) for s, v in zip(table.sectors, amounts, strict=True) if v > 0]
    schema = {"origin": pl.String, "sector": pl.String, "not_bought_usd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _told(table: InputOutput, unallocated: float, by_use: Mapping[str, float]) -> Iterator[Finding]:
    known = sum(v for v in by_use.values() if not np.isnan(v))
    text = (
        f"The table is of {table.region} in {table.year}: recipes are those of that year, and a sector holds"
        " goods that do not need the mineral at all. The highest figure stops those too."
    )
    values = {"region": table.region, "year": table.year, "known": known, "unallocated": unallocated}
    yield Finding("input-output-caveat", "caution", text, values)


def _summary(sectors: pl.DataFrame, imports: pl.DataFrame, ghosh: float, unallocated: float) -> pl.DataFrame:
    def total(column: str) -> float:
        return float(np.sort(sectors[column].to_numpy()).sum())

    rows = {
        "direct": total("direct_usd") + unallocated,
        "backward": total("indirect_usd"),
        "total": total("total_usd") + unallocated,
        "highest": total("highest_usd") + unallocated,
        "ghosh_for_comparison": ghosh + unallocated,
        "unallocated": unallocated,
        "imports_not_bought": float(np.sort(imports["not_bought_usd"].to_numpy()).sum()),
    }
    return pl.DataFrame({"name": list(rows), "value": list(rows.values())})


def _result(
    tables: Mapping[str, pl.DataFrame],
    table: InputOutput,
    sources: tuple[Input, ...],
    findings: list[Finding],
    call: Mapping[str, object],
) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    units = {
        name: {
            c: ("1" if c == "share_lost" else "USD over the period")
            for c, dtype in frame.schema.items()
            if dtype.is_float()
        }
        for name, frame in tables.items()
    }
    derivations = (
        Derivation("sectors", "output_lost_usd", "E151", ("sectors.direct_usd",), "Limits and orders lost."),
        Derivation("sectors", "direct_usd", "E52", ("end_uses.loss_usd",), "Losses of the end uses."),
        Derivation("sectors", "indirect_usd", "E151", ("sectors.output_lost_usd",), "Total less direct."),
        Derivation(
            "sectors", "total_usd", "E152", ("sectors.output_lost_usd",), "Value added of what is lost."
        ),
        Derivation("sectors", "highest_usd", "E153", ("sectors.share_lost",), "Nothing replaces an input."),
        Derivation(
            "imports", "not_bought_usd", "E150", ("sectors.output_lost_usd",), "Imported inputs of it."
        ),
        Derivation(
            "summary", "value", "E155", ("sectors.total_usd",), "Sums; Ghosh's figure for comparison."
        ),
    )
    mapping = end_use_sectors()
    used = tables["end_uses"].join(mapping, on="end_use", how="inner")
    parameters = tuple(
        Parameter(f"sector [{row['end_use']}]", 1.0, 1.0, 1.0, "mapping", row["grade"], row["source"])
        for row in used.iter_rows(named=True)
    )
    inputs = tuple({i.sha256: i for i in (*sources, *table.inputs)}.values())
    lineage = Lineage(__version__, inputs, parameters, derivations, call={**call, "table": _label(table)})
    return Result("economic-loss", tables, units, lineage, tuple(findings))


def _label(table: InputOutput) -> dict[str, object]:
    return {
        "region": table.region,
        "year": table.year,
        "classification": table.classification,
        "currency": table.currency,
    }
