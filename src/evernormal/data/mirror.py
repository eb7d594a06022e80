"""Mirror flows: what the exporter and what the importer declare, side by side, and one value from both.

Both reports stay.  The importer's value has transport and insurance taken out, each side weighs by how well
its country reports, and an interval says how far the truth may lie.  Nothing is corrected in silence: a flow
that one side alone reports, a partner that is silent, goods that seem to pass through a hub are listed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data.customs_rows import Declarations, Names, at_level, declarations, groups, listed
from evernormal.data.mirror_hubs import passing_through
from evernormal.data.mirror_pairs import CIF_FOB, FLOW, Ratios, one_frequency, paired, selected
from evernormal.data.reliability import reporting_variances
from evernormal.errors import InputError, NotCoveredError
from evernormal.result import Derivation, Finding, Lineage, Parameter, Result

__all__ = ["Reconciled", "mirror_flows", "reconcile"]

PRIOR_PAIRS = 5.0
"""Pairs with an average partner that every reporter is credited with."""

_FEW_PAIRS = 10
_FAR = 2.5
"""Root mean squares of two reporters from which a disagreement is listed by itself."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reconciled:
    """One value from two reports.

    Attributes:
        weight: weight of the exporter's report, 0 to 1.
        value: the value, between both reports.
        deviation: standard deviation of its logarithm.
    """

    weight: Floats
    value: Floats
    deviation: Floats


def reconcile(
    exporter: Floats, importer: Floats, exporter_variance: Floats, importer_variance: Floats
) -> Reconciled:
    """Return the values between two reports of the same flows (equation E16).

    The weights are inverse to the reporters' variances, on logarithms.  The deviation is that of a mean of
    two reports, and larger where the two lie further apart than their variances explain (Birge 1932).

    Args:
        exporter: what exporters report, free on board; above 0.
        importer: what importers report, free on board; above 0.
        exporter_variance: variance of the logarithm of each exporter's reports.
        importer_variance: the same of each importer's.

    >>> import numpy as np
    >>> both = reconcile(np.array([100.0]), np.array([121.0]), np.array([0.01]), np.array([0.01]))
    >>> float(both.weight[0]), round(float(both.value[0]), 6)
    (0.5, 110.0)
    """
    both = exporter_variance + importer_variance
    known = both > 0
    safe = np.where(known, both, 1.0)
    weight: Floats = np.where(known, importer_variance / safe, 0.5)
    distance = np.log(importer / exporter)
    value: Floats = np.clip(
        exporter * np.exp((1 - weight) * distance),
        np.minimum(exporter, importer),
        np.maximum(exporter, importer),
    )
    own = exporter_variance * importer_variance / safe
    strain = np.maximum(1.0, distance**2 / safe)
    return Reconciled(weight, value, np.sqrt(np.where(known, own * strain, 0.0)))


def mirror_flows(
    codes: Names = None,
    exporters: Names = None,
    importers: Names = None,
    periods: Names = None,
    by: Literal["value", "quantity"] = "value",
    *,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    cif_fob: float | None = None,
    interval: float = 0.8,
    prior_pairs: float = PRIOR_PAIRS,
) -> Result:
    """Return both reports of each flow, the value between them, and how well each country reports.

    How well countries report is taken from every six-digit code and period of the data sets, whatever part
    of the flows is asked for (equation E17); the value follows equation E16.  Imports are declared by
    country of origin, exports by destination, so goods that pass through a hub are reported as two
    different flows: table ``hubs`` lists where that may be so, and nothing is moved.

    Args:
        codes: two to six digits as text; None for every six-digit code.
        exporters: ISO 3166 alpha-3; None for all.
        importers: ISO 3166 alpha-3; None for all.
        periods: all years like ``2024`` or all months like ``2024-05``; None for all (years where there are).
        by: ``value`` or ``quantity``; weights have no transport costs in them.
        dataset: name of a data set of kind customs, or several; None for the only one.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day (law 11).
        cif_fob: value at the importer's border over value at the exporter's; None to estimate it per code.
        interval: part of cases that the interval is to cover.
        prior_pairs: pairs with an average partner that every reporter is credited with.

    Returns:
        Result ``mirror-flows`` with tables ``flows``: period, code, exporter, importer, sides (``both``,
        ``exporter`` or ``importer``), partner_silent (whether the other side reports trade of the period and
        not this), exporter_reports and importer_reports (USD or t, null where not reported),
        importer_basis, cif_fob (ratio), importer_fob, log_ratio, weight_exporter, reconciled, low, high;
        ``reliability``: country, variance (of the logarithm), pairs, as_exporter, as_importer, distance
        (mean absolute log ratio), tendency (median log ratio of its reports to its partners'); and
        ``hubs``: see :func:`evernormal.data.mirror_hubs.passing_through`.

    Raises:
        InputError: a setting outside its range, years and months mixed, or as in
            :func:`evernormal.data.customs`.
        NotCoveredError: no declaration by partner covers what was asked.
    """
    codes, exporters, importers, periods = map(listed, (codes, exporters, importers, periods))
    _require(by, cif_fob, interval, prior_pairs, codes)
    found = declarations(dataset, folder, as_of)
    rows, mixed = one_frequency(found.rows, periods)
    rows = rows.filter(~pl.col("partner").is_in(list(groups())), pl.col("partner") != pl.col("reporter"))
    six = at_level(rows)
    level = six if codes is None else at_level(rows, codes)
    everything = paired(six, by)
    wanted = everything if codes is None else paired(level, by)
    ratios = Ratios(everything, by, cif_fob)
    everything, wanted = ratios.applied(everything), ratios.applied(wanted)
    scored, reliability = _reliability(everything, rows, prior_pairs)
    reporting = rows.select("period", "flow", country="reporter").unique()
    shown = selected(wanted, exporters, importers, periods)
    if shown.is_empty():
        raise NotCoveredError(
            "no declaration by partner covers what was asked",
            where=", ".join(i.name for i in found.inputs),
            cure="Fetch imports and exports of both: evernormal data fetch comtrade.",
        )
    flows = _reconciled(shown, scored, reporting, interval)
    hubs = passing_through(selected(wanted, None, None, periods), level, reporting, by)
    if importers is not None:
        hubs = hubs.filter(pl.col("importer").is_in(importers))
    unit = "USD" if by == "value" else "t gross"
    findings = (*found.findings, *mixed, *ratios.findings, *_findings(everything, flows, hubs, level))
    return Result(
        "mirror-flows",
        {"flows": flows, "reliability": reliability, "hubs": hubs},
        _units(unit),
        _lineage(found, by, interval, prior_pairs, ratios),
        findings,
    ).with_call(
        codes=codes,
        exporters=exporters,
        importers=importers,
        periods=periods,
        dataset=dataset,
        as_of=None if as_of is None else str(as_of),
    )


def _require(
    by: str, cif_fob: float | None, interval: float, prior_pairs: float, codes: list[str] | None
) -> None:
    if by not in {"value", "quantity"}:
        raise InputError(f"by must be 'value' or 'quantity', got {by!r}")
    if cif_fob is not None and not 1 <= cif_fob <= 2:
        raise InputError(f"cif_fob must be from 1 to 2, got {cif_fob}", cure="1.06 means 6 % on top.")
    if not 0 < interval < 1:
        raise InputError(f"interval must be between 0 and 1, got {interval}")
    if not prior_pairs > 0:
        raise InputError(f"prior_pairs must be above 0, got {prior_pairs}")
    for code in codes or ():
        if not (isinstance(code, str) and code.isascii() and code.isdigit() and len(code) in {2, 4, 6}):
            raise InputError(
                f"code must be two, four or six digits as text, got {code!r}",
                cure="Beyond six digits countries use codes of their own.",
            )


def _reliability(
    pairs: pl.DataFrame, rows: pl.DataFrame, prior_pairs: float
) -> tuple[dict[str, float | None], pl.DataFrame]:
    """Return the variance of each reporter, and the table that shows where it comes from."""
    known = pairs.filter(pl.col("log_ratio").is_not_null()).sort(FLOW)
    reporters = sorted(set(rows["reporter"].to_list()))
    place = {country: index for index, country in enumerate(reporters)}
    left = np.array([place[c] for c in known["exporter"].to_list()], dtype=np.int64)
    right = np.array([place[c] for c in known["importer"].to_list()], dtype=np.int64)
    distance = known["log_ratio"].to_numpy().astype(np.float64)
    scored: dict[str, float | None] = dict.fromkeys(reporters)
    if known.height:
        found = reporting_variances(left, right, distance, len(reporters), prior_pairs)
        scored = dict(zip(reporters, found.variances.tolist(), strict=True))
    seen = pl.concat(
        [
            known.select(country="exporter", signed=-pl.col("log_ratio"), exporting=pl.lit(value=True)),
            known.select(country="importer", signed=pl.col("log_ratio"), exporting=pl.lit(value=False)),
        ]
    ).sort("country", "signed", "exporting")
    told = seen.group_by("country").agg(
        pl.len().cast(pl.Int64).alias("pairs"),
        pl.col("exporting").sum().cast(pl.Int64).alias("as_exporter"),
        (~pl.col("exporting")).sum().cast(pl.Int64).alias("as_importer"),
        pl.col("signed").abs().sort().mean().alias("distance"),
        pl.col("signed").median().alias("tendency"),
    )
    table = pl.DataFrame(
        {"country": reporters, "variance": [scored[c] for c in reporters]},
        schema={"country": pl.String(), "variance": pl.Float64()},
    ).join(told, on="country", how="left")
    counts = [pl.col(c).fill_null(0) for c in ("pairs", "as_exporter", "as_importer")]
    return scored, table.with_columns(counts).sort("variance", "country", nulls_last=True)


def _reconciled(
    pairs: pl.DataFrame, scored: dict[str, float | None], reporting: pl.DataFrame, interval: float
) -> pl.DataFrame:
    """Return the flows with weight, value and interval."""
    table = _with_silence(pairs, reporting)
    one, other = (_variance(table, side, scored) for side in ("exporter", "importer"))
    sent = table["exporter_reports"].to_numpy().astype(np.float64)
    came = table["importer_fob"].to_numpy().astype(np.float64)
    both = np.isfinite(sent) & np.isfinite(came)
    by_exporter = np.isfinite(sent)
    whole_flow = reconcile(
        np.where(both, sent, 1.0),
        np.where(both, came, 1.0),
        np.where(both, one, 1.0),
        np.where(both, other, 1.0),
    )
    silent = table["partner_silent"].to_numpy()
    told, untold = np.where(by_exporter, one, other), np.where(by_exporter, other, one)
    alone = np.sqrt(told + np.where(silent, np.nan_to_num(untold), 0.0))
    value = np.where(both, whole_flow.value, np.where(by_exporter, sent, came))
    deviation = np.where(both, whole_flow.deviation, alone)
    spread = np.exp(NormalDist().inv_cdf((1 + interval) / 2) * deviation)
    weight = np.where(both, whole_flow.weight, np.where(by_exporter, 1.0, 0.0))
    made = {"weight_exporter": weight, "reconciled": value, "low": value / spread, "high": value * spread}
    columns = [pl.Series(name, column).fill_nan(None) for name, column in made.items()]
    order = [*FLOW, "sides", "partner_silent", "exporter_reports", "importer_reports", "importer_basis"]
    order += ["cif_fob", "importer_fob", "log_ratio", *made]
    return table.with_columns(columns).select(order)


def _with_silence(pairs: pl.DataFrame, reporting: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs with which sides report, and whether the other side reports trade but not this."""
    exports = reporting.filter(pl.col("flow") == "export").select(
        "period", exporter="country", e=pl.lit(value=True)
    )
    imports = reporting.filter(pl.col("flow") == "import").select(
        "period", importer="country", i=pl.lit(value=True)
    )
    table = pairs.join(exports, on=["period", "exporter"], how="left").join(
        imports, on=["period", "importer"], how="left"
    )
    has_exporter, has_importer = (pl.col(f"{s}_reports").is_not_null() for s in ("exporter", "importer"))
    sides = (
        pl.when(has_exporter & has_importer)
        .then(pl.lit("both"))
        .when(has_exporter)
        .then(pl.lit("exporter"))
        .otherwise(pl.lit("importer"))
    )
    silent = (~has_exporter & pl.col("e").fill_null(value=False)) | (
        ~has_importer & pl.col("i").fill_null(value=False)
    )
    return table.with_columns(sides.alias("sides"), silent.alias("partner_silent")).drop("e", "i").sort(FLOW)


def _variance(table: pl.DataFrame, side: str, scored: dict[str, float | None]) -> Floats:
    found = [scored.get(country) for country in table[side].to_list()]
    return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


def _findings(
    pairs: pl.DataFrame, flows: pl.DataFrame, hubs: pl.DataFrame, level: pl.DataFrame
) -> list[Finding]:
    found: list[Finding] = []
    count = pairs["log_ratio"].count()
    if count == 0:
        text = "No flow is reported by both sides: nothing tells how well countries report; no interval."
        found.append(Finding("mirror-no-pairs", "warning", text))
    elif count < _FEW_PAIRS:
        text = f"Only {count} flows are reported by both sides: the weights are close to equal."
        found.append(Finding("mirror-few-pairs", "caution", text, {"pairs": count}))
    alone = flows.filter(pl.col("sides") != "both")
    if alone.height:
        part = math.fsum(sorted(alone["reconciled"].to_list())) / math.fsum(
            sorted(flows["reconciled"].to_list())
        )
        text = (
            f"{alone.height:,} of {flows.height:,} flows ({100 * part:.1f} %) are reported by one side alone."
        )
        found.append(Finding("mirror-one-sided", "caution", text, {"flows": alone.height, "share": part}))
    silent = alone.filter(pl.col("partner_silent")).height
    if silent:
        text = f"In {silent:,} flows the other side reports trade of the period, but not this:"
        text += " the intervals are wider."
        found.append(Finding("mirror-silent-partner", "caution", text, {"flows": silent}))
    far = flows.filter(pl.col("sides") == "both", pl.col("log_ratio").abs() > math.log(_FAR))
    for row in far.sort(pl.col("log_ratio").abs(), *FLOW, descending=[True, *[False] * 4]).head(5).to_dicts():
        times = math.exp(abs(row["log_ratio"]))
        more = "importer" if row["log_ratio"] > 0 else "exporter"
        text = f"{row['exporter']} to {row['importer']}, {row['code']}, {row['period']}: the {more} reports"
        text += f" {times:.1f} times what the other side does."
        values = {name: row[name] for name in (*FLOW, "log_ratio")}
        found.append(Finding("mirror-disagreement", "caution", text, values))
    if hubs.height:
        text = (
            f"{hubs.height:,} flows may be goods of another origin that pass through a hub; table hubs lists"
        )
        text += " them, and nothing was moved."
        found.append(Finding("mirror-hub-possible", "caution", text, {"flows": hubs.height}))
    revisions = sorted(
        {r for r in level["revision"].unique().to_list() if r.startswith("HS") and r[2:3] != "K"}
    )
    if len(revisions) > 1:
        text = f"Countries report in {', '.join(revisions)}: a code may not mean the same on both sides."
        found.append(Finding("mirror-revisions-differ", "caution", text, {"revisions": revisions}))
    return found


def _units(unit: str) -> dict[str, dict[str, str]]:
    amounts = dict.fromkeys(
        ("exporter_reports", "importer_reports", "importer_fob", "reconciled", "low", "high"), unit
    )
    flows = {**amounts, "cif_fob": "ratio", "log_ratio": "log points", "weight_exporter": "fraction"}
    reliability = {"variance": "squared log points", "distance": "log points", "tendency": "log points"}
    names = ("hub_reports", "importer_reports_hub", "origin_reports", "importer_reports_origin")
    hubs = dict.fromkeys((*names, "through_hub", "hub_buys", "hub_re_exports"), unit)
    return {"flows": flows, "reliability": reliability, "hubs": hubs}


def _lineage(found: Declarations, by: str, interval: float, prior_pairs: float, ratios: Ratios) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    imf = "IMF, Direction of Trade Statistics Yearbook 2017, factor of 1.06; range: assumption"
    few = "assumption: five pairs move a reporter half-way from the common variance to its own"
    parameters = (
        Parameter(
            "cif_fob", ratios.given or CIF_FOB, 1.0, 1.25, "ratio", "B" if ratios.given is None else "C", imf
        ),
        Parameter("prior_pairs", prior_pairs, 1.0, 20.0, "pairs", "C", few),
    )
    reports = ("flows.exporter_reports", "flows.importer_fob", "reliability.variance")
    derivations = (
        Derivation("flows", "reconciled", "E16", reports, "Both reports, weighted by how well each reports."),
        Derivation("flows", "weight_exporter", "E16", reports, "Importer's variance over the sum of both."),
        Derivation(
            "reliability",
            "variance",
            "E17",
            ("flows.log_ratio", "parameter:prior_pairs"),
            "Fit to the distances.",
        ),
    )
    call = {"by": by, "interval": interval, "prior_pairs": prior_pairs, "cif_fob": ratios.given}
    return Lineage(__version__, found.inputs, parameters, derivations, call=call)
