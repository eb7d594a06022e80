"""``evernormal economy``: what the loss of a scenario costs beyond the plants that stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.options import AsOf, Json, Out
from evernormal.app.reading import read_country, read_year
from evernormal.errors import InputError

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["register"]

SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("economy", epilog="Example: evernormal economy out/lithium --sector cathodes=C27")(economy)


def economy(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR]...",
            help="Folders that evernormal brief wrote; several for several minerals of one horizon.",
            show_default=False,
        ),
    ] = None,
    loss: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=USD",
            help="In place of a folder: value added that a sector or end use loses; repeatable.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            "--country",
            "--focal",
            metavar="ISO3",
            help="Country of the input-output table; that of the results when left out.",
            autocompletion=complete_country,
            show_default=False,
            callback=read_country,
        ),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(
            help="Year of the table; the last that you added.", show_default=False, callback=read_year
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Which table, where several hold country and year.", show_default=False),
    ] = None,
    months: Annotated[
        float | None,
        typer.Option(help="With --loss: months that it covers; 12 if left out.", show_default=False),
    ] = None,
    sector: Annotated[
        list[str] | None,
        typer.Option(
            metavar="END_USE=SECTOR",
            help="Sector that makes an end use, before the shipped mapping; repeatable.",
            show_default=False,
        ),
    ] = None,
    per_usd: Annotated[
        float | None,
        typer.Option(help="Units of the table's currency per USD in its year.", show_default=False),
    ] = None,
    joint: Annotated[
        bool,
        typer.Option("--joint", help="The results are inputs of the same cells: what both stop counts once."),
    ] = False,
    as_of: AsOf = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Carry losses by end use through an input-output table that you added: suppliers, users, imports.

    Add a table with evernormal data add input-output. With --json: an object with the lists summary, sectors,
    end_uses, imports and findings; all in USD over the period.
    """
    from evernormal import market

    losses, region = _losses(results or [], loss or [], table, joint=joint)
    found = market.propagate_loss(
        losses,
        market.open_input_output(region, year, dataset=dataset, folder=settings.store_folder(), as_of=as_of),
        sectors=dict(_pair(text, "--sector") for text in sector or []),
        months=months,
        per_usd=per_usd,
    )
    if out is not None:
        found.save(out)
    if as_json:
        names = ("summary", "sectors", "end_uses", "imports")
        output.print_json({**{name: found[name] for name in names}, "findings": found.findings})
        return
    _print(found)
    output.print_findings(found.findings)
    if out is not None:
        output.print_line(str(out / "result.json"))


def _losses(
    folders: list[Path], given: list[str], table: str | None, *, joint: bool
) -> tuple[list[Result] | dict[str, float], str]:
    """Return what is lost, and whose input-output table carries it."""
    from evernormal.market.economy_recipes import joined_apart
    from evernormal.result import Result

    if bool(folders) == bool(given):
        raise InputError(
            "give the folder of a result, or losses, and not both",
            where="evernormal economy",
            cure="Write, for instance, evernormal economy out/lithium, or --loss C27=65e6 --table KOR.",
        )
    region = table
    if given:
        if region is None:
            raise InputError("losses name no country", where="--table", cure="Write --table KOR.")
        return {name: _number(value, "--loss") for name, value in (_pair(t, "--loss") for t in given)}, region
    loaded = [Result.load(folder) for folder in folders]
    for folder, result in zip(folders, loaded, strict=True):
        if "end_use" not in result.tables:
            raise InputError(
                f"a result of kind {result.kind!r} has no loss by end use",
                where=str(folder),
                cure="Give a folder that evernormal brief wrote.",
            )
    return joined_apart(loaded) if joint else loaded, region or str(loaded[0].lineage.call["focal"])


def _pair(text: str, where: str) -> tuple[str, str]:
    name, _, value = text.rpartition("=")
    if not (name and value):
        raise InputError(f"must be NAME=VALUE, got {text!r}", where=where)
    return name, value


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"must be a number of USD, got {text!r}", where=where) from None


def _print(found: Result) -> None:
    import polars as pl

    said = dict(found["summary"].iter_rows())
    meaning = {
        "direct": "what the plants lose",
        "backward": "suppliers that lose orders",
        "total": "both, each sector once; users wait, stock or substitute",
        "highest": "every user gets the same share less and nothing replaces it",
        "imports_not_bought": "no longer bought abroad",
        "unallocated": "lost by end uses without a sector of their own, in no total",
    }
    rows = [
        {"million USD": None if said[name] is None else said[name] / 1e6, "": name, "is": text}
        for name, text in meaning.items()
        if name != "unallocated" or said[name]
    ]
    label = found.lineage.call["table"]
    title = f"Loss of {label['region']} over {found.lineage.call['months']:g} months"
    output.print_table(pl.DataFrame(rows).select("", "million USD", "is"), title=title)
    output.print_line()
    columns = {"direct_usd": "direct", "total_usd": "total", "highest_usd": "highest"}
    sectors = found["sectors"].sort("total_usd", "sector", descending=[True, False]).head(SHOWN)
    named = (sectors["name"] != "").any()
    shown = sectors.select(
        "sector",
        *([pl.col("name").str.slice(0, 40)] if named else []),
        *((pl.col(name) / 1e6).alias(short) for name, short in columns.items()),
        pl.col("share_lost").alias("of its output"),
    )
    output.print_table(
        shown,
        title=f"Sectors that lose most, of {found['sectors'].height}, million USD",
        units={"of its output": "fraction"},
    )
