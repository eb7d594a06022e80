"""SQL over everything: DuckDB views on the snapshot and on the user's store, for reading only.

The database lives in memory, at most 2 GB of it; no file is made.  Only ``SELECT`` is accepted, and only the
data files can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from evernormal.data.editions import Vintage, stored_files, vintage, vintages
from evernormal.data.schema import TABLES
from evernormal.data.snapshot import SNAPSHOT_TABLES, resource
from evernormal.data.trade_table import trade_table
from evernormal.errors import InputError

if TYPE_CHECKING:
    import duckdb

__all__ = ["query"]

_MEMORY = "2GB"

_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "DOUBLE": pl.Float64(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "SMALLINT": pl.Int16(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
}
"""Types that a result keeps even where every cell is null; others follow from the cells."""


def query(sql: str, folder: str | Path | None = None) -> pl.DataFrame:
    """Return the rows of one ``SELECT`` over the snapshot and the user's data sets.

    Args:
        sql: one SELECT statement.  Views: trade, production, production_totals, governance, facts, countries,
            country_aliases; and each data set of ``folder`` under its name (quote names that have hyphens).
        folder: folder of the user's store; None for the snapshot alone.  Every file of a data set that the
            statement names is checked before; of a full release that takes some seconds.

    Raises:
        InputError: no SELECT, more than one statement, or an error that DuckDB names.
        SnapshotError: a file was truncated or changed.

    >>> query("SELECT count(*) AS n FROM production WHERE material = 'Gallium' AND year = 2022")["n"].item()
    5
    """
    import duckdb  # noqa: PLC0415  (heavy)

    connection = duckdb.connect(":memory:")
    try:
        _add_views(connection, sql, folder)
        statements = connection.extract_statements(sql)
        if [s.type for s in statements] != [duckdb.StatementType.SELECT]:
            raise InputError(
                "only one SELECT statement is accepted", where="SQL", cure="Write SELECT ... FROM trade."
            )
        connection.execute(statements[0])
        schema = {column[0]: _TYPES.get(str(column[1])) for column in connection.description or []}
        return pl.DataFrame(connection.fetchall(), schema=schema, orient="row", infer_schema_length=None)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise InputError(
            first, where="SQL", cure="See `evernormal data status` for tables and columns."
        ) from error
    finally:
        connection.close()


def _add_views(connection: duckdb.DuckDBPyConnection, sql: str, folder: str | Path | None) -> None:
    files = {name: resource(name).path for name in SNAPSHOT_TABLES}
    views = {name: f"SELECT * FROM {_parquet([path])}" for name, path in files.items() if name != "trade"}
    typed = {name: TABLES / f"{name}.csv" for name in ("facts", "countries", "country_aliases")}
    views |= {name: f"SELECT * FROM {_csv(path)}" for name, path in typed.items()}
    allowed = [*files.values(), *typed.values()]
    trade = {"trade": ([files["trade"]], trade_table(None, None, None))}
    for found in _asked_for(sql, folder):
        paths = stored_files(found)
        allowed += paths
        if found.kind == "trade":
            trade[found.dataset] = (paths, trade_table(found.dataset, folder, None))
        else:
            views[found.dataset] = f"SELECT * FROM {_parquet(paths)}"
    connection.execute(f"SET memory_limit = '{_MEMORY}'")
    connection.execute("SET allowed_paths = [" + ", ".join(_quoted(str(path)) for path in allowed) + "]")
    connection.execute("SET enable_external_access = false")
    aliases = (
        f"SELECT code::INTEGER AS number, iso3 FROM {_csv(typed['country_aliases'])} WHERE source = 'baci'"
    )
    connection.execute(f"CREATE TABLE country_of_number AS {aliases}")
    for name, (paths, table) in trade.items():
        numbers = f"SELECT unnest({list(table.codes)}::INTEGER[]) AS number"
        text = "lpad(number::VARCHAR, 6, '0') AS code"
        connection.execute(f'CREATE TABLE "codes of {name}" AS SELECT number, {text} FROM ({numbers})')
        views[name] = _trade_view(paths, name, table.revision)
    for name, select in views.items():
        connection.execute(f'CREATE VIEW "{name}" AS {select}')


def _asked_for(sql: str, folder: str | Path | None) -> Iterator[Vintage]:
    """Yield the latest vintage of each data set whose name is in the statement; the others are not read."""
    if folder is None:
        return
    said = sql.lower()
    for name in sorted({found.dataset for found in vintages(folder)}):
        if name in said:
            yield vintage(name, folder)


def _trade_view(paths: Sequence[Path], name: str, revision: str) -> str:
    """Join the labels: a condition on a label then tells which numbers, and so which rows, to read."""
    return f"""
        SELECT t.year, e.iso3 AS exporter, m.iso3 AS importer, {_quoted(revision)} AS revision,
               k.code, t.value_usd::DOUBLE AS value_usd, t.quantity_kg / 1000 AS quantity_t
        FROM {_parquet(paths)} t
        JOIN country_of_number e ON e.number = t.exporter
        JOIN country_of_number m ON m.number = t.importer
        JOIN "codes of {name}" k ON k.number = t.code
    """


def _parquet(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(_quoted(str(path)) for path in paths)}])"


def _csv(path: Path) -> str:
    """Read a typed table; every cell that is empty is null, and Namibia's ``NA`` is text."""
    return (
        f"read_csv({_quoted(str(path))}, header = true, nullstr = '', auto_detect = true, sample_size = -1)"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
