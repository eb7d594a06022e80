"""The labelled tables of a simulation: what the brief, the workbook and ``explain`` read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.derivations import DERIVATIONS
from evernormal.market.draws import Drawn
from evernormal.market.findings import simulation_findings
from evernormal.market.outcome import Outcome
from evernormal.network.network import Network
from evernormal.result import Input, Lineage, Parameter, Result

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["simulation_result"]

Floats = NDArray[np.float64]

UNIT_BY_SUFFIX = {
    "_t": "t contained",
    "_usd": "USD",
    "_usd_t": "USD/t contained",
    "_ratio": "1 (base = 1)",
    "_days": "day",
    "_share": "1",
}


def simulation_result(
    network: Network,
    scenario: Scenario,
    central: Outcome,
    without: Outcome,
    drawn: Drawn | None,
    parameters: tuple[Parameter, ...],
    seed: int,
    draws: int,
) -> Result:
    """Put a central run, the run without policies and the draws into one Result."""
    months = list(central.calendar.months)
    tables = {
        "summary": _summary(network, central, without),
        "supply": _supply(network, central, months),
        "imports": _imports(network, central, months),
        "end_use": _end_use(central, months),
        "runway": _runway(central, without),
        "rerouting": _rerouting(network, central),
        "regions": _regions(network, central, months),
        "flows": _flows(network, central, months),
        "conversions": _conversions(network, central, months),
        "measures": _measures(scenario),
        "end_use_names": _end_use_names(central),
        "parameters": pl.DataFrame([asdict(p) for p in parameters]),
        "base_rows": network.tables.get("base_rows", pl.DataFrame()),
        "adjustments": network.tables.get("adjustments", pl.DataFrame()),
        "implied_flows": network.tables.get("implied_flows", pl.DataFrame()),
        "bands": _bands(drawn, months),
        "summary_bands": _summary_bands(drawn, central),
    }
    from evernormal import __version__  # noqa: PLC0415 - avoids a cycle at import

    lineage = Lineage(
        __version__,
        (*network.inputs, Input(f"scenario {scenario.name}", scenario.sha256(), "scenario file")),
        parameters,
        DERIVATIONS,
        seed,
        {
            "scenario": scenario.name,
            "focal": network.focal,
            "form": network.form,
            "base_year": network.year,
            "draws": draws,
            "title_en": scenario.title["en"],
            "title_ko": scenario.title["ko"],
            "description_en": scenario.description["en"],
            "description_ko": scenario.description["ko"],
            "sources": [{"title": s.title, "reference": s.reference} for s in scenario.sources],
        },
    )
    findings = (*network.findings, *simulation_findings(network, scenario, central, parameters, draws))
    tables = {name: table.fill_nan(None) for name, table in tables.items()}
    return Result("simulation", tables, _units(tables), lineage, findings, network.coverage)


def _units(tables: dict[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    """Name the unit of every number by the ending of its column; what has its own unit column says so."""
    named: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        named[name] = {}
        for column, dtype in table.schema.items():
            if not dtype.is_float():
                continue
            endings = [s for s in sorted(UNIT_BY_SUFFIX, key=len, reverse=True) if column.endswith(s)]
            named[name][column] = UNIT_BY_SUFFIX[endings[0]] if endings else "see column unit or series"
    for column, unit in (("use_possible", "1"), ("content", "kg contained/kg gross"), ("value_usd", "USD")):
        for units in named.values():
            if column in units:
                units[column] = unit
    if "quantity_t" in named.get("base_rows", {}):
        named["base_rows"]["quantity_t"] = "t gross"
    return named


def _supply(network: Network, out: Outcome, months: list[date]) -> pl.DataFrame:
    r, g = network.focal_index, network.form_index(network.form)
    return pl.DataFrame(
        {
            "month": months,
            "imports_t": out.imports,
            "base_imports_t": out.base_imports,
            "domestic_t": out.domestic,
            "other_supply_t": out.other,
            "use_t": out.use,
            "base_use_t": out.base_use,
            "shortage_t": out.shortage,
            "release_t": out.run.acts.added[r, : len(months)],
            "commercial_stock_t": out.stock,
            "state_stock_t": out.state_stock,
            "cover_days": out.cover_days,
            "price_usd_t": out.price_ratio * network.price[r, g],
            "price_ratio": out.price_ratio,
            "loss_usd": out.loss,
        }
    )


def _imports(network: Network, out: Outcome, months: list[date]) -> pl.DataFrame:
    frames = []
    for a in out.suppliers(network):
        arrived = out.run.path.arrived[a, : len(months)]
        base = float(out.routes.base[a])
        if base == 0 and arrived.max(initial=0.0) < 1e-6 * max(float(out.base_imports.max()), 1e-300):
            continue
        supplier = network.regions[out.routes.origin[a]]
        frames.append(
            pl.DataFrame({"month": months, "imports_t": arrived}).select(
                "month",
                pl.lit(supplier).alias("supplier"),
                "imports_t",
                pl.lit(base).alias("base_imports_t"),
            )
        )
    if not frames:
        schema = {
            "month": pl.Date,
            "supplier": pl.String,
            "imports_t": pl.Float64,
            "base_imports_t": pl.Float64,
        }
        return pl.DataFrame(schema=schema)
    return pl.concat(frames).sort("month", "supplier")


def _end_use(out: Outcome, months: list[date]) -> pl.DataFrame:
    frames = [
        pl.DataFrame(
            {
                "month": months,
                "end_use": [key] * len(months),
                "use_t": used,
                "base_use_t": base,
                "shortage_t": np.where(base - used > 1e-7 * np.maximum(base, 1e-300), base - used, 0.0),
                "loss_usd": loss,
            }
        )
        for _, key, used, base, loss in out.end_use
    ]
    schema = {"month": pl.Date, "end_use": pl.String}
    numbers = dict.fromkeys(("use_t", "base_use_t", "shortage_t", "loss_usd"), pl.Float64)
    return pl.concat(frames) if frames else pl.DataFrame(schema={**schema, **numbers})


def _end_use_names(out: Outcome) -> pl.DataFrame:
    rows = [
        {
            "end_use": key,
            "name_en": end.name_en if end else "all uses",
            "name_ko": end.name_ko if end else "전체 용도",
        }
        for end, key, *_ in out.end_use
    ]
    schema = {"end_use": pl.String, "name_en": pl.String, "name_ko": pl.String}
    return pl.DataFrame(rows, schema=schema)


def _runway(central: Outcome, without: Outcome) -> pl.DataFrame:
    frames = [
        pl.DataFrame(
            {
                "date": list(out.calendar.days),
                "policy": [label] * len(out.calendar.days),
                "stock_t": out.stop.stock,
                "cover_days": out.stop.cover_days,
                "use_possible": out.stop.use_possible,
            }
        )
        for label, out in (("with release", central), ("without release", without))
    ]
    return pl.concat(frames)


def _rerouting(network: Network, out: Outcome) -> pl.DataFrame:
    during = out.biting()
    rows = []
    for a in out.suppliers(network):
        base = float(out.routes.base[a]) * int(during.sum())
        now = float(out.run.path.arrived[a, : len(during)][during].sum())
        if base == 0 and now < 1e-6 * max(float(out.base_imports.sum()), 1e-300):
            continue
        rows.append(
            {
                "supplier": network.regions[out.routes.origin[a]],
                "base_t": base,
                "disrupted_t": now,
                "change_t": now - base,
                "change_share": (now - base) / base if base > 0 else None,
            }
        )
    schema = {"supplier": pl.String} | dict.fromkeys(
        ("base_t", "disrupted_t", "change_t", "change_share"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema).sort("change_t", "supplier", descending=[True, False])


def _regions(network: Network, out: Outcome, months: list[date]) -> pl.DataFrame:
    path, routes, size = out.run.path, out.routes, len(months)
    shape = (*network.production.shape, size)
    imports, exports, used = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(imports, (routes.target, routes.form), path.arrived[:, :size])
    np.add.at(exports, (routes.origin, routes.form), path.shipped[:, :size])
    other = np.zeros(shape)
    used += path.absorbed[..., :size]
    for use, series, taken_over in zip(out.uses, path.used, path.other, strict=True):
        used[use.region, use.form] += series[:size]
        other[use.region, use.form] += taken_over[:size]
    region, form, month = np.meshgrid(
        np.arange(shape[0]), np.arange(shape[1]), np.arange(size), indexing="ij"
    )
    return pl.DataFrame(
        {
            "month": [months[m] for m in month.reshape(-1)],
            "region": [network.regions[r] for r in region.reshape(-1)],
            "form": [network.forms[g] for g in form.reshape(-1)],
            "production_t": path.production[..., :size].reshape(-1),
            "other_supply_t": other.reshape(-1),
            "use_t": used.reshape(-1),
            "imports_t": imports.reshape(-1),
            "exports_t": exports.reshape(-1),
            "stock_t": path.stock[..., :size].reshape(-1),
            "price_ratio": path.price[..., :size].reshape(-1),
        }
    )


def _flows(network: Network, out: Outcome, months: list[date]) -> pl.DataFrame:
    routes, size = out.routes, len(months)
    shipped = out.run.path.shipped[:, :size]
    floor = 1e-9 * max(float(routes.base.sum()), 1e-300)
    route, month = np.nonzero((shipped > floor) | (routes.base > 0)[:, None])
    return pl.DataFrame(
        {
            "month": [months[m] for m in month],
            "form": [network.forms[g] for g in routes.form[route]],
            "exporter": [network.regions[i] for i in routes.origin[route]],
            "importer": [network.regions[j] for j in routes.target[route]],
            "shipped_t": shipped[route, month],
            "base_t": routes.base[route],
        }
    )


def _conversions(network: Network, out: Outcome, months: list[date]) -> pl.DataFrame:
    """One row per month, region and conversion step that runs."""
    columns = dict.fromkeys(("region", "source_form", "target_form"), pl.String)
    schema = {"month": pl.Date, **columns, "input_t": pl.Float64, "output_t": pl.Float64}
    step, region = np.nonzero(network.activity > 0)
    frames = [pl.DataFrame(schema=schema)]
    for c, r in zip(step, region, strict=True):
        conversion, taken = network.conversions[c], out.run.path.activity[c, r, : len(months)]
        frames.append(
            pl.DataFrame(
                {
                    "month": months,
                    "region": [network.regions[r]] * len(months),
                    "source_form": [conversion.source] * len(months),
                    "target_form": [conversion.target] * len(months),
                    "input_t": taken,
                    "output_t": taken * conversion.recovery.value,
                },
                schema=schema,
            )
        )
    return pl.concat(frames)


def _measures(scenario: Scenario) -> pl.DataFrame:
    from evernormal.network.measures import describe  # noqa: PLC0415 - pydantic loads with the first scenario

    rows = []
    for group, measures in (("measure", scenario.measures), ("policy", scenario.policies)):
        for m in measures:
            rows.append(
                {
                    "id": m.id,
                    "role": group,
                    "kind": m.kind,
                    "by": str(m.by),
                    "against": ", ".join(scenario.focal if a == "focal" else a for a in m.against)
                    or "everyone",
                    "forms": ", ".join(m.forms) or scenario.form,
                    "announced": m.announced,
                    "effective": m.effective,
                    "suspended": m.suspended,
                    "ends": m.ends,
                    "text_en": describe(m, "en", focal=scenario.focal, form=scenario.form),
                    "text_ko": describe(m, "ko", focal=scenario.focal, form=scenario.form),
                }
            )
    texts = dict.fromkeys(("id", "role", "kind", "by", "against", "forms"), pl.String)
    dates = dict.fromkeys(("announced", "effective", "suspended", "ends"), pl.Date)
    return pl.DataFrame(rows, schema={**texts, **dates, "text_en": pl.String, "text_ko": pl.String})


def _summary(network: Network, out: Outcome, without: Outcome) -> pl.DataFrame:
    short = np.flatnonzero(out.shortage > 1e-3 * out.base_use)
    during = out.biting()
    base_year = float(out.base_imports[0]) * 12
    total = float(out.base_use.sum())
    known = np.isfinite(out.cover_days)
    rows: list[tuple[str, float | None, str | None, str, str]] = [
        ("shortage_t", float(out.shortage.sum()), None, "t contained", "E51"),
        ("shortage_share", float(out.shortage.sum()) / total if total > 0 else None, None, "1", "E51"),
        ("loss_usd", _known(out.loss.sum()), None, "USD", "E52"),
        ("peak_price_ratio", _known(out.price_ratio.max()), None, "1 (base = 1)", "E50"),
        ("min_cover_days", float(out.cover_days[known].min()) if known.any() else None, None, "day", "E53"),
        ("stop_date_with_release", None, _iso(out.stop.stop), "date", "E55"),
        ("stop_date_without_release", None, _iso(without.stop.stop), "date", "E55"),
        ("imports_lost_t", float((out.base_imports - out.imports)[during].sum()), None, "t contained", "E54"),
        ("base_imports_year_t", base_year, None, "t contained/year", "E1"),
        ("base_use_year_t", float(out.base_use[0]) * 12, None, "t contained/year", "E1"),
        (
            "gross_per_contained",
            network.gross_per_contained.get(network.form),
            None,
            "t gross/t contained",
            "",
        ),
        (
            "first_shortage_month",
            None,
            out.calendar.months[int(short[0])].isoformat() if len(short) else None,
            "date",
            "E51",
        ),
        (
            "lowest_use_possible",
            float(out.stop.use_possible.min()),
            None,
            "1 (share of base use)",
            "E55",
        ),
        ("solver_residual", max(out.run.path.residual, without.run.path.residual), None, "1", "E49"),
    ]
    schema = {
        "name": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String, "equation": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _known(value: float) -> float | None:
    """Unknown is null in a table, never NaN and never 0 (law 2)."""
    return float(value) if np.isfinite(value) else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _bands(drawn: Drawn | None, months: list[date]) -> pl.DataFrame:
    schema = {"series": pl.String, "month": pl.Date, "p10": pl.Float64, "p50": pl.Float64, "p90": pl.Float64}
    frames = [pl.DataFrame(schema=schema)]
    for name, values in drawn.series.items() if drawn else ():
        low, middle, high = np.percentile(values, (10, 50, 90), axis=0)
        frames.append(
            pl.DataFrame(
                {"series": [name] * len(months), "month": months, "p10": low, "p50": middle, "p90": high}
            )
        )
    return pl.concat(frames)


def _summary_bands(drawn: Drawn | None, out: Outcome) -> pl.DataFrame:
    schema = {"name": pl.String} | dict.fromkeys(("p10", "p50", "p90"), pl.Float64) | {"unit": pl.String}
    rows: list[tuple[Any, ...]] = []
    if drawn:
        during = out.biting()
        lost = (out.base_imports - drawn.series["imports_t"])[:, during].sum(axis=1)
        totals = (
            ("shortage_t", drawn.series["shortage_t"].sum(axis=1), "t contained"),
            ("loss_usd", drawn.series["loss_usd"].sum(axis=1), "USD"),
            ("peak_price_ratio", drawn.series["price_ratio"].max(axis=1), "1 (base = 1)"),
            ("min_cover_days", drawn.series["cover_days"].min(axis=1), "day"),
            ("imports_lost_t", lost, "t contained"),
        )
        for name, values, unit in totals:
            rows.append((name, *(_known(v) for v in np.percentile(values, (10, 50, 90))), unit))
        stops = drawn.stop_days[np.isfinite(drawn.stop_days)]
        rows.append(("stop_probability", None, float(len(stops)) / len(drawn.stop_days), None, "1"))
        if len(stops):
            low, middle, high = np.percentile(stops, (10, 50, 90))
            rows.append(
                ("stop_day", float(low), float(middle), float(high), "day after start, where it stops")
            )
    return pl.DataFrame(rows, schema=schema, orient="row")
