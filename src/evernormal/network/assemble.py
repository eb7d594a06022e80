"""Put the balanced picture of a chain into a Network: arrays, prices, stocks, end uses, transit, coverage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import NotCoveredError
from evernormal.network.forms import Form, contained, end_uses
from evernormal.network.network import Conversion, EndUse, Network
from evernormal.network.observations import Base, Observed, base_years
from evernormal.network.prices import regional_prices
from evernormal.network.reconcile import REEXPORT, Picture
from evernormal.network.stocks import commercial_days, state_days, stock_findings
from evernormal.network.transit import HANDLING, SPEED, route, transit_known
from evernormal.network.unlisted import unlisted_suppliers
from evernormal.result import Finding, Input, Parameter

__all__ = ["assemble"]

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.0
DUST = 1e-12
OWN_TABLES = (
    "forms",
    "codes",
    "content",
    "conversions",
    "end_uses",
    "transit",
    "transit_ports",
    "transit_land",
)
COVERAGE_SCHEMA = {
    "region": pl.String,
    "form": pl.String,
    "item": pl.String,
    "status": pl.String,
    "note": pl.String,
}


def assemble(
    target: Form,
    focal: str,
    year: int,
    base: Base,
    observed: Sequence[Observed],
    steps: Sequence[Conversion],
    regions: Sequence[str],
    picture: Picture,
    findings: Sequence[Finding],
    given: Mapping[str, pl.DataFrame | None],
) -> Network:
    """Build the Network from a balanced picture; see :func:`evernormal.network.load.load_network`.

    ``given`` holds the tables of trade, production and facts that stand in for the shipped ones.
    """
    names = tuple(one.form.name for one in observed)
    shape = (len(regions), len(names))
    place = {label: r for r, label in enumerate(regions)}
    production, use, price = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    activity = np.zeros((len(steps), len(regions)))
    arcs: list[tuple[int, int, int, float, float]] = []
    vague: set[str] = set()
    for (kind, name, region, partner), value in picture.values.items():
        if kind == "production":
            production[place[region], names.index(name)] = value
        elif kind == "use":
            use[place[region], names.index(name)] = value
        elif kind == "input":
            activity[[step.name for step in steps].index(name), place[region]] = value
        elif kind == "flow" and value > 0:
            way = route(region, partner)
            vague |= {country for country in (region, partner) if not transit_known(country)}
            arcs.append((place[region], place[partner], names.index(name), value, way.days))
    production, use, activity = _without_dust(production, use, activity, arcs, steps, names)
    for g, one in enumerate(observed):
        price[:, g] = regional_prices(one, regions, picture.flows[one.form.name])
    stocks = _stocks(observed, regions, place, use, activity, steps, picture, year, given["facts"])
    commercial, state, stock_parameters, stock_notes = stocks
    uses, use_notes = _end_uses(names, focal)
    main = names.index(target.name)
    notes = [
        *findings,
        *(note for one in observed for note in one.findings),
        *_balance_findings(picture, names),
        *_use_findings(picture, names, focal),
        *unlisted_suppliers(observed, picture, focal),
        *stock_notes,
        *use_notes,
        *_transit_findings(vague),
        *_activity_findings(steps),
    ]
    columns = tuple(np.array(column) for column in zip(*sorted(arcs), strict=True))
    return Network(
        focal=focal,
        form=target.name,
        year=year,
        regions=tuple(regions),
        forms=names,
        production=production,
        use=use,
        conversions=tuple(steps),
        activity=activity,
        flow_from=columns[0].astype(np.int64),
        flow_to=columns[1].astype(np.int64),
        flow_form=columns[2].astype(np.int64),
        flow=columns[3].astype(np.float64),
        transit_days=columns[4].astype(np.float64),
        price=price,
        commercial_stock=commercial,
        state_stock=state,
        end_uses=uses,
        gross_per_contained={one.form.name: _gross_per_contained(one, focal) for one in observed},
        tables={
            "base_rows": observed[main].base_rows,
            "adjustments": picture.adjustments,
            "observed_flows": _with_form(observed, "flows"),
            "observed_production": _with_form(observed, "production"),
            "implied_flows": _with_form(observed, "implied"),
        },
        findings=tuple(notes),
        coverage=_coverage(observed, regions, steps, picture),
        inputs=_inputs(observed, given),
        parameters=(*_general_parameters(base, year), *_form_parameters(observed), *stock_parameters),
    )


def _without_dust(
    production: Floats,
    use: Floats,
    activity: Floats,
    arcs: Sequence[tuple[int, int, int, float, float]],
    steps: Sequence[Conversion],
    names: Sequence[str],
) -> tuple[Floats, Floats, Floats]:
    """Make quantities 0 where they are rounding error, and put what is left over into use."""
    through = production + use
    for i, j, g, flow, _ in arcs:
        through[i, g] += flow
        through[j, g] += flow
    production = np.where(production > DUST * through, production, 0.0)
    use = np.where(use > DUST * through, use, 0.0)
    for c, step in enumerate(steps):
        activity[c] = np.where(activity[c] > DUST * through[:, names.index(step.source)], activity[c], 0.0)
    rest = production - use
    for i, j, g, flow, _ in sorted(arcs):
        rest[i, g] -= flow
        rest[j, g] += flow
    for c, step in enumerate(steps):
        rest[:, names.index(step.target)] += activity[c] * step.recovery.value
        rest[:, names.index(step.source)] -= activity[c]
    return production, np.where(use > 0, np.maximum(use + rest, 0.0), use), activity


def _stocks(
    observed: Sequence[Observed],
    regions: Sequence[str],
    place: Mapping[str, int],
    use: Floats,
    activity: Floats,
    steps: Sequence[Conversion],
    picture: Picture,
    year: int,
    facts: pl.DataFrame | None,
) -> tuple[Floats, Floats, list[Parameter], list[Finding]]:
    """Opening stocks of firms (importing regions) and of states (where published); equation E25."""
    commercial, state = np.zeros_like(use), np.zeros_like(use)
    parameters: dict[str, Parameter] = {}
    findings: list[Finding] = []
    for g, one in enumerate(observed):
        name = one.form.name
        table = _stock_facts(name, facts)
        daily = use[:, g].copy()
        for c, step in enumerate(steps):
            if step.source == name:
                daily += activity[c]
        daily /= DAYS_PER_YEAR
        importers = set(picture.flows[name]["importer"].to_list())
        for region in regions:
            r = place[region]
            firms = commercial_days(name, region, table, year)
            held = state_days(name, region, table, year)
            if region in importers:
                commercial[r, g] = firms.value * daily[r]
                parameters[firms.name] = firms
            if held is not None:
                state[r, g] = held.value * daily[r]
                parameters[held.name] = held
            if region == regions[0]:
                findings += stock_findings(region, name, held, firms)
    return commercial, state, [parameters[name] for name in sorted(parameters)], findings


def _stock_facts(name: str, given: pl.DataFrame | None) -> pl.DataFrame:
    table = given
    if table is None:
        from evernormal.data import facts  # noqa: PLC0415  reads a table

        table = facts(form=name)
    return pl.DataFrame(table).filter(
        (pl.col("form") == name) & (pl.col("topic") == "stock_days") & (pl.col("unit") == "day")
    )


def _end_uses(names: Sequence[str], focal: str) -> tuple[tuple[EndUse, ...], list[Finding]]:
    uses: list[EndUse] = []
    findings: list[Finding] = []
    for name in names:
        try:
            found = end_uses(name, focal)
        except NotCoveredError:
            findings.append(
                Finding(
                    "end-use-unknown",
                    "warning",
                    f"No end use of {name} is known: a shortage cannot be turned into lost output.",
                    {"form": name},
                )
            )
            continue
        uses += found
        if any(use.share.grade == "C" or use.elasticity.grade == "C" for use in found):
            findings.append(
                Finding(
                    "end-use-assumed",
                    "caution",
                    f"End-use shares or elasticities of {name} are assumptions.",
                    {"form": name},
                )
            )
    return tuple(uses), findings


def _gross_per_contained(one: Observed, focal: str) -> float:
    """Tonnes gross per tonne contained of the focal region's imports, else of world trade."""
    for flows in (one.flows.filter(pl.col("importer") == focal), one.flows):
        tonnes = float(flows["contained_t"].sum())
        if tonnes > 0:
            return float(flows["gross_t"].sum()) / tonnes
    return 1.0 / contained(one.form.name).value


def _with_form(observed: Sequence[Observed], table: str) -> pl.DataFrame:
    parts: list[pl.DataFrame] = [getattr(one, table) for one in observed]
    named = [part.with_columns(form=pl.lit(one.form.name)) for part, one in zip(parts, observed, strict=True)]
    return pl.concat(named).select("form", pl.exclude("form"))


def _balance_findings(picture: Picture, names: Sequence[str]) -> list[Finding]:
    findings = []
    for name in names:
        share = picture.left_out[name]
        if share > 0:
            findings.append(
                Finding(
                    "small-arcs-left-out",
                    "info",
                    f"Arcs with {share:.2%} of world trade in {name} are left out (listed in adjustments).",
                    {"form": name, "share": share},
                )
            )
    table = picture.adjustments
    aside = table.filter(pl.col("reason").str.contains("set aside"))
    for row in aside.iter_rows(named=True):
        findings.append(
            Finding(
                "production-set-aside",
                "caution",
                f"{row['region']} ships out more {row['form']} than it takes in and produces"
                f" ({row['observed_t']:,.0f} t): the figure is set aside, production taken as net exports.",
                {"form": row["form"], "region": row["region"], "production_t": row["observed_t"]},
            )
        )
    changed = table.filter(pl.col("reason") == "balance")
    if len(changed):
        worst = changed.sort(pl.col("sigmas").abs(), descending=True).row(0, named=True)
        findings.append(
            Finding(
                "balanced",
                "info",
                f"Balancing changed {len(changed)} observations, most of all {worst['item']} {worst['form']}"
                f" {worst['region']} {worst['partner']} ({worst['sigmas']:+.1f} standard deviations).",
                {"count": len(changed), "largest_sigmas": worst["sigmas"]},
            )
        )
    return findings


def _use_findings(picture: Picture, names: Sequence[str], focal: str) -> list[Finding]:
    """Say where the focal region's use rests on the least share of imports that is used at home."""
    findings = []
    for name in names:
        table = picture.flows[name]
        imports = float(table.filter(pl.col("importer") == focal)["contained_t"].sum())
        exports = float(table.filter(pl.col("exporter") == focal)["contained_t"].sum())
        known = {("production", name, focal, ""), ("output", name, focal, "")} & picture.known
        if known or exports <= REEXPORT.value * imports or imports <= 0:
            continue
        findings.append(
            Finding(
                "use-assumed",
                "warning",
                f"{focal} exports {exports:,.0f} t of {name} against imports of {imports:,.0f} t and its"
                f" production is not known: use is taken to be at least {1 - REEXPORT.value:.0%} of imports,"
                " the rest of the exports to come from production at home.",
                {"form": name, "imports_t": imports, "exports_t": exports, "ceiling": REEXPORT.value},
            )
        )
    return findings


def _transit_findings(vague: set[str]) -> list[Finding]:
    if not vague:
        return []
    listed = ", ".join(sorted(vague))
    message = f"Transit time to and from {listed} is the mean over all countries: no port is tabled."
    return [Finding("transit-mean", "info", message, {"regions": sorted(vague)})]


def _activity_findings(steps: Sequence[Conversion]) -> list[Finding]:
    if not steps:
        return []
    listed = ", ".join(step.name for step in steps)
    message = f"How much each country converts ({listed}) is estimated by the balance, not observed."
    return [Finding("activity-estimated", "caution", message, {"conversions": [step.name for step in steps]})]


def _coverage(
    observed: Sequence[Observed], regions: Sequence[str], steps: Sequence[Conversion], picture: Picture
) -> pl.DataFrame:
    """One row for each region, form and item: observed, estimated or unknown."""
    rows: list[tuple[str, str, str, str, str]] = []
    for one in observed:
        name = one.form.name
        traded = {region for column in ("exporter", "importer") for region in picture.flows[name][column]}
        relays = set(one.implied["relay"].to_list())
        for region in regions:
            if region in relays:
                rows.append((region, name, "trade", "estimated", "what it buys is implied (E27)"))
            else:
                rows.append((region, name, "trade", "observed" if region in traded else "unknown", ""))
            key = ("production", name, region, "")
            if key in picture.known or ("output", name, region, "") in picture.known:
                rows.append((region, name, "production", "observed", ""))
            else:
                note = "not among the listed producers" if one.production_listed else "taken as net exports"
                rows.append((region, name, "production", "unknown", note))
            rows.append((region, name, "use", "estimated", "what the balance leaves"))
    for step in steps:
        rows += [(region, step.source, f"input of {step.name}", "estimated", "") for region in regions]
    return pl.DataFrame(rows, schema=COVERAGE_SCHEMA, orient="row")


def _general_parameters(base: Base, year: int) -> tuple[Parameter, ...]:
    weights = base_years(year, base)
    if len(weights) == 1:
        return (SPEED, HANDLING, REEXPORT)
    weight = weights[year]
    source = "share of the year itself in the base picture; the rest is the mean of the two years before"
    return (
        SPEED,
        HANDLING,
        REEXPORT,
        Parameter("base_year_weight", weight, weight, weight, "fraction", "B", source),
    )


def _form_parameters(observed: Sequence[Observed]) -> list[Parameter]:
    return [parameter for one in observed for parameter in (one.price, *one.parameters)]


def _inputs(observed: Sequence[Observed], given: Mapping[str, pl.DataFrame | None]) -> tuple[Input, ...]:
    from evernormal.data import inputs  # noqa: PLC0415  reads a table

    names = sorted({name for one in observed for name in one.tables} | {"facts"})
    handed = {name: table for name in names if (table := given.get(name)) is not None}
    own = [_given_input(name, table) for name, table in handed.items()]
    for name in OWN_TABLES:
        content = resources.files("evernormal.network").joinpath("tables", f"{name}.csv").read_bytes()
        own.append(
            Input(f"network {name}", hashlib.sha256(content).hexdigest(), "evernormal, sources named by row")
        )
    shipped = [name for name in names if name not in handed]
    return (*(inputs(*shipped) if shipped else ()), *own)


def _given_input(name: str, table: pl.DataFrame) -> Input:
    """Name a table that the caller handed over, by the hash of its rows in a fixed order (law 7)."""
    columns = sorted(table.columns)
    text = table.select(columns).sort(columns).write_csv()
    source = "table given by the caller, sources named by row"
    return Input(f"{name} given", hashlib.sha256(text.encode()).hexdigest(), source)
