"""``evernormal indicator``: any indicator of concentration, criticality or dependence, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.drawing import check_chart, draw_chart, tell_chart
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Chart,
    ChartLanguage,
    Explain,
    Json,
    Language,
    Neighbours,
    Out,
    Trade,
    Years,
)
from evernormal.app.progress import progress
from evernormal.app.reading import country_named, form_named, read_country, region_named

if TYPE_CHECKING:
    import polars as pl

    from evernormal.result import Result

__all__ = ["register"]


class Of(StrEnum):
    """Indicators whose interval ``uncertainty`` gives."""

    largest_share = "largest-share"
    china_share = "china-share"
    hhi = "hhi"
    hhi_quantity = "hhi-quantity"
    net_import_reliance = "net-import-reliance"
    n_minus_one = "n-minus-one"
    world_hhi = "world-hhi"
    import_risk = "import-risk"
    geopolrisk = "geopolrisk"
    eu_supply_risk = "eu-supply-risk"
    disruption_potential = "disruption-potential"
    economic_vulnerability = "economic-vulnerability"
    usgs_supply_risk = "usgs-supply-risk"


@dataclass(frozen=True)
class Asked:
    """What the user asked, checked."""

    countries: list[str]
    years: list[int] | None
    names: list[str] | None
    compatible: bool
    partner: str | None
    neighbours: list[str] | None
    of: list[str]
    threshold: float | None
    draws: int
    seed: int
    as_of: str | None
    dataset: str | None
    statistics: str | None
    groups: dict[str, list[str]] | None

    @property
    def data(self) -> dict[str, object]:
        """Where the trade comes from, as the functions take it."""
        return {"as_of": self.as_of, "dataset": self.dataset, "folder": settings.store_folder()}


@dataclass(frozen=True)
class Entry:
    """One indicator of the command: what it tells, what ``--material`` names, and how it is computed."""

    text: str
    of: str
    compute: Callable[[Asked], tuple[Result, pl.DataFrame]]
    table: str


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("indicator", epilog="Example: evernormal indicator geopolrisk --country KOR --year 2023")(
        indicator
    )


def indicator(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Indicator; --list shows all.", show_default=False)
    ] = "",
    country: Annotated[
        list[str] | None,
        typer.Option(
            "--country",
            "--focal",
            metavar="ISO3",
            help="Country: ISO 3166 code or name, EU, or a --group; may be given more than once.",
            autocompletion=complete_country,
            show_default=False,
        ),
    ] = None,
    year: Years = None,
    material: Annotated[
        list[str] | None,
        typer.Option(
            "--material",
            "--form",
            help="What of: a form, a material of GeoPolRisk, or a code of HS 1992, as --list says. May be"
            " given more than once.",
            show_default=False,
        ),
    ] = None,
    trade: Trade = None,
    as_of: AsOf = None,
    compatible: Annotated[
        bool,
        typer.Option("--compatible", help="geopolrisk: what geopolrisk-py 2.0.1 gives."),
    ] = False,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=ISO3,...",
            help="geopolrisk: countries that count as one, such as BENELUX=BEL,NLD,LUX; may be given more"
            " than once.",
            show_default=False,
        ),
    ] = None,
    statistics: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="geopolrisk: statistics that you added; production of what they count comes from them.",
            show_default=False,
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(
            metavar="ISO3",
            help="trend: also the share of this supplier.",
            autocompletion=complete_country,
            show_default=False,
            callback=read_country,
        ),
    ] = None,
    neighbour: Neighbours = None,
    of: Annotated[
        list[Of] | None,
        typer.Option(help="uncertainty: of this indicator; may be given more than once.", show_default=False),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="uncertainty: also the chance of reaching this.", show_default=False),
    ] = None,
    draws: Annotated[int, typer.Option(help="uncertainty, stability: draws.", min=2)] = 1000,
    seed: Annotated[int, typer.Option(help="uncertainty, stability: seed of the draws.", min=0)] = 0,
    chart: Chart = None,
    lang: ChartLanguage = Language.en,
    listed: Annotated[bool, typer.Option("--list", help="List the indicators.")] = False,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Compute an indicator for countries and years, one row per form, material or code.

    With --json: a list of the rows of the indicator's table; findings go to standard error.
    """
    from evernormal.errors import InputError, UnknownNameError

    if listed:
        _print_list(as_json)
        return
    check_chart(chart)
    if name not in ENTRIES:
        if not name:
            raise InputError(
                "no indicator was named", where="indicator", cure="See evernormal indicator --list."
            )
        raise UnknownNameError("indicator", name, ENTRIES, where="indicator")
    if name != "geopolrisk" and group:
        raise InputError(f"{name} does not know --group", where="indicator")
    if not country and not group:
        raise InputError("no country was given", where="indicator", cure="Add --country KOR.")
    groups = _groups(group or [])
    places = [c if c in groups else region_named(c, "--country") for c in country or []]
    places += [one for one in groups if one not in places]
    if name != "geopolrisk" and compatible:
        raise InputError(f"{name} does not know --compatible", where="indicator")
    if name != "geopolrisk" and statistics is not None:
        raise InputError(f"{name} does not know --statistics", where="indicator")
    if material and ENTRIES[name].of == "form":
        material = [form_named(one, "--material") for one in material]
    asked = Asked(
        places, year or None, material or None, compatible, partner, neighbour or None,
        [one.value for one in of or []], threshold, draws, seed, as_of, trade, statistics,
        groups or None,
    )  # fmt: skip
    entry = ENTRIES[name]
    with progress("Computing", quiet=as_json):
        result, rows = entry.compute(asked)
    if kept(result, out, explain, lang, as_json=as_json):
        return
    drawn = draw_chart(result, chart, lang, quiet=as_json)
    if as_json:
        output.print_json(rows)
    else:
        shown = rows.drop(_TOLD_ELSEWHERE, strict=False)
        output.print_rows(shown.to_dicts(), units=result.units[entry.table])
    tell_chart(drawn, error=as_json)
    output.print_findings(result.findings, error=as_json)


_TOLD_ELSEWHERE = ("name_en", "name_ko", "worst", "best", "reason", "reason_ko", "none_at_home")
"""Columns of reasons and names that only --json shows."""


def _print_list(as_json: bool) -> None:
    rows = [{"name": name, "what": one.text, "of": one.of} for name, one in ENTRIES.items()]
    if as_json:
        output.print_json(rows)
    else:
        output.print_rows(rows)


def _groups(given: Sequence[str]) -> dict[str, list[str]]:
    """Read NAME=ISO3,ISO3 of every --group."""
    from evernormal.errors import InputError

    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, members = text.partition("=")
        listed = [country_named(one.strip(), f"--group {name}") for one in members.split(",") if one.strip()]
        if not equals or not name.strip() or not listed:
            raise InputError(f"not a group of countries: {text!r}", where="--group",
                             cure="Write it like --group BENELUX=BEL,NLD,LUX.")  # fmt: skip
        found[name.strip()] = listed
    return found


def _plain(result: Result, table: str) -> tuple[Result, pl.DataFrame]:
    return result, result[table]


def _geopolrisk(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    result = risk.geopolrisk(
        asked.countries, asked.years, asked.names, asked.compatible, groups=asked.groups,
        statistics=asked.statistics, **asked.data,  # type: ignore[arg-type]
    )  # fmt: skip
    return _plain(result, "geopolrisk")


def _concentration(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    result = risk.concentration(asked.countries, asked.names, asked.years, **asked.data)  # type: ignore[arg-type]
    return _plain(result, "concentration")


def _eu(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    return _plain(
        risk.supply_risk(asked.countries, asked.years, asked.names, **asked.data),  # type: ignore[arg-type]
        "supply_risk",
    )


def _usgs(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    result = risk.usgs_supply_risk_table(asked.countries, asked.years, asked.names, **asked.data)  # type: ignore[arg-type]
    return _plain(result, "usgs_supply_risk")


def _stability(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    result = risk.supply_stability(
        asked.countries, asked.years, asked.names, draws=asked.draws, seed=asked.seed, **asked.data  # type: ignore[arg-type]
    )  # fmt: skip
    return _plain(result, "stability")


def _trend(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    return _over_years(
        asked,
        lambda year: risk.dependence_trends(
            asked.countries, asked.names, year, partner=asked.partner, **asked.data  # type: ignore[arg-type]
        ),
        "trends",
    )  # fmt: skip


def _uncertainty(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    of = asked.of or [one.value for one in Of]
    return _over_years(
        asked,
        lambda year: _joined(
            [
                risk.resample(
                    of, place, year, asked.names, draws=asked.draws, seed=asked.seed,
                    threshold=asked.threshold, **asked.data,  # type: ignore[arg-type]
                )
                for place in asked.countries
            ],
            "intervals",
        ),
        "intervals",
    )  # fmt: skip


def _disagreement(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    return _over_years(
        asked,
        lambda year: _joined(
            [risk.method_disagreement(place, year, asked.names, **asked.data) for place in asked.countries],  # type: ignore[arg-type]
            "ranks",
        ),
        "ranks",
    )


def _reliance(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    return _by_form(asked, risk.net_import_reliance, "reliance")


def _remaining(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    return _by_form(asked, risk.n_minus_one, "n_minus_one")


def _duty(asked: Asked) -> tuple[Result, pl.DataFrame]:
    from evernormal import risk

    results = []
    for place in asked.countries:
        near = risk.neighbours_of(place)[0] if asked.neighbours is None else asked.neighbours
        for form in _forms(asked):
            found = risk.supplier_shares(form, place, asked.years, neighbours=near, **asked.data)  # type: ignore[arg-type]
            results.append(_labelled(found, "thresholds", country=place, form=form))
    return _plain(_joined(results, "thresholds"), "thresholds")


def _by_form(asked: Asked, function: Callable[..., Result], table: str) -> tuple[Result, pl.DataFrame]:
    results = [
        _labelled(function(form, asked.countries, asked.years, **asked.data), table, form=form)
        for form in _forms(asked)
    ]
    return _plain(_joined(results, table), table)


def _forms(asked: Asked) -> list[str]:
    """Return the forms asked, or all that the trade table shows by a code of their own."""
    from evernormal.risk.momentum_panel import form_codes, opened

    if asked.names is not None:
        return asked.names
    folder = settings.store_folder()
    return list(form_codes(None, opened(asked.dataset, folder, asked.as_of)))


def _over_years(
    asked: Asked, function: Callable[[int | None], Result], table: str
) -> tuple[Result, pl.DataFrame]:
    years: Sequence[int | None] = asked.years or [None]
    return _plain(_joined([function(year) for year in years], table), table)


def _labelled(result: Result, table: str, **labels: str) -> Result:
    """Put what a table is about in front of its columns."""
    from evernormal.report.joining import labelled

    return labelled(result, table, **labels)


def _joined(results: Sequence[Result], table: str) -> Result:
    """Put the rows of all results under each other; each can still be explained by its own call."""
    from evernormal.report.joining import joined

    return joined(results, table)


ENTRIES: Mapping[str, Entry] = {
    "geopolrisk": Entry("world concentration x imports from unstable exporters", "material of the method",
                        _geopolrisk, "geopolrisk"),
    "concentration": Entry("how few suppliers, by value and quantity", "six-digit code",
                           _concentration, "concentration"),
    "eu-supply-risk": Entry("the European Union's method for any country", "form", _eu, "supply_risk"),
    "usgs-supply-risk": Entry("disruption potential, trade exposure, vulnerability", "form",
                              _usgs, "usgs_supply_risk"),
    "stability": Entry("supply-stability index with KOMIR's bands", "form", _stability, "stability"),
    "net-import-reliance": Entry("net imports over use", "form", _reliance, "reliance"),
    "n-minus-one": Entry("supply without the largest supplier, over use", "form", _remaining, "n_minus_one"),
    "duty": Entry("thresholds of the Korean early-warning duty", "form", _duty, "thresholds"),
    "trend": Entry("shares: slope, significance, momentum, since when, break", "form", _trend, "trends"),
    "uncertainty": Entry("any of 13 indicators with its interval and rank interval", "form",
                         _uncertainty, "intervals"),
    "disagreement": Entry("ranks by seven methods, and why they differ", "form", _disagreement, "ranks"),
}  # fmt: skip
"""Indicators by name."""
