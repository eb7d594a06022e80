"""``evernormal data fetch``: ask a publisher over the network and store what it answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.options import Json
from evernormal.app.progress import steps
from evernormal.errors import InputError

if TYPE_CHECKING:
    import httpx

__all__ = ["app", "http_client"]

TIMEOUT_SECONDS = 120.0

app = typer.Typer(no_args_is_help=True, help="Ask a publisher over the network and store what it answers.")


class Flow(StrEnum):
    """Kinds of flow."""

    imports = "import"
    exports = "export"
    re_imports = "re-import"
    re_exports = "re-export"


def http_client() -> httpx.Client:
    """Return an HTTP client that follows no redirect, so that a key goes nowhere else.

    Raises:
        InputError: the package httpx is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        raise InputError(
            "asking a publisher needs the package httpx", cure="Install evernormal[online]."
        ) from error
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)


@app.command(
    "comtrade",
    epilog="Example: evernormal data fetch comtrade --reporter KOR --code 282520 --from 2024-01 --to 2024-12",
)
def fetch_comtrade(
    reporter: Annotated[
        list[str],
        typer.Option(
            metavar="ISO3",
            help="Country whose customs reports: code or name; may be given more than once.",
            autocompletion=complete_country,
        ),
    ],
    first: Annotated[
        str, typer.Option("--from", metavar="PERIOD", help="First year (2020) or month (2024-01).")
    ],
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="PERIOD", help="Last year or month; the first when left out."),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(help="Customs code of two, four or six digits; may be given more than once."),
    ] = None,
    partner: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISO3",
            help="Partner country, WLD for the world; every partner when left out."
            " May be given more than once.",
            autocompletion=complete_country,
        ),
    ] = None,
    flow: Annotated[
        list[Flow] | None,
        typer.Option(help="Kind of flow; imports and exports when left out. May be given more than once."),
    ] = None,
    classification: Annotated[
        str, typer.Option(help="HS as the country reports it, or one revision: H0 (1992) to H6 (2022).")
    ] = "HS",
    name: Annotated[
        str | None, typer.Option(help="Name of the data set; made from the question when left out.")
    ] = None,
    available: Annotated[
        bool, typer.Option("--available", help="List which data the publisher has instead of fetching them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch customs declarations from UN Comtrade, by year or month, and store them.

    The environment variable EVERNORMAL_COMTRADE_KEY holds your subscription key; without one an answer has at
    most 500 rows. A fetch that was stopped goes on where it was when you run the command again.
    """
    from evernormal import data

    countries = [data.country(c, where="--reporter") for c in reporter]
    periods = data.periods_between(first, last or first)
    key, folder = settings.comtrade_key(), settings.store_folder()
    with http_client() as client, steps(quiet=as_json) as step:
        if available:
            step("Asking what is published")
            table = data.comtrade_availability(
                "A" if len(first) == 4 else "M",
                reporters=countries,
                periods=periods,
                client=client,
                key=key,
                sleep=time.sleep,
                now=_now,
            )
        else:
            if not code:
                raise InputError(
                    "no code was given", where="--code", cure="Give --code 282520, or --available."
                )
            result = data.fetch_comtrade(
                code,
                periods,
                folder,
                reporters=countries,
                partners=[data.country(p, where="--partner") for p in partner or ()],
                flows=[one.value for one in flow or (Flow.imports, Flow.exports)],
                classification=classification,
                name=name,
                client=client,
                key=key,
                sleep=time.sleep,
                now=_now,
                progress=step,
            )
    if available and as_json:
        output.print_json(table)
    elif available:
        output.print_table(table)
    elif as_json:
        output.print_json({**result["added"].row(0, named=True), "findings": result.findings})
    else:
        output.print_values(result["added"].row(0, named=True))
        output.print_findings(result.findings)


def _now() -> datetime:
    return datetime.now(UTC)
