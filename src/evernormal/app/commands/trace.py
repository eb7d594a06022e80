"""``evernormal trace``: who refined and who mined what a country imports."""

from __future__ import annotations

import typer

from evernormal.app import output, settings
from evernormal.app.drawing import check_chart, draw_chart, tell_chart
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Chart,
    ChartLanguage,
    Explain,
    Form,
    Json,
    Language,
    Out,
    Regions,
    Trade,
    Years,
)
from evernormal.app.progress import progress

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("trace", epilog="Example: evernormal trace cobalt/oxides --country KOR --year 2023")(trace)


def trace(
    form: Form,
    focal: Regions = None,
    year: Years = None,
    trade: Trade = None,
    as_of: AsOf = None,
    chart: Chart = None,
    lang: ChartLanguage = Language.en,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Trace a form from the supplier that customs name through hubs and refiners back to the mine.

    With --json: a list of rows with focal, year, stage, form, country, share, low, high and tonnes.
    """
    from evernormal.risk import trace_origin

    check_chart(chart)
    with progress("Tracing origins", quiet=as_json):
        result = trace_origin(
            form,
            years=year or None,
            countries=focal or ["KOR"],
            as_of=as_of,
            dataset=trade,
            folder=settings.store_folder(),
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    drawn = draw_chart(result, chart, lang, quiet=as_json)
    if as_json:
        output.print_json(result["origin"])
    else:
        from evernormal.risk.origin_words import origin_sentence, side_by_side

        for where, when in result["origin"].select("focal", "year").unique(maintain_order=True).iter_rows():
            title = f"{where} {when}: origin of imports of {form}, share of tonnes (interval)"
            output.print_table(side_by_side(result, where, when), title=title)
            output.page().print(origin_sentence(result, where, when))
    tell_chart(drawn, error=as_json)
    output.print_findings(result.findings, error=as_json)
