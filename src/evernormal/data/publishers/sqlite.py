"""A publisher's SQLite database, which may be anything: read-only, the expected columns or an error."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from evernormal.errors import SourceFormatError

__all__ = ["column_names", "open_database", "quoted", "require"]


@contextlib.contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading only; errors of SQLite name the file."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise SourceFormatError(f"cannot be opened ({error})", where=str(path)) from error
    try:
        yield connection
    except sqlite3.Error as error:
        raise SourceFormatError(
            f"is not the database that the adapter reads ({error})",
            where=str(path),
            cure="Get the file again.",
        ) from error
    finally:
        connection.close()


def column_names(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the columns of a table; empty when there is no such table."""
    return [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]


def require(connection: sqlite3.Connection, table: str, wanted: Sequence[str], path: Path) -> None:
    """Raise unless ``table`` has every column of ``wanted``."""
    found = column_names(connection, table)
    missing = [name for name in wanted if name not in found]
    if missing:
        state = f"has columns {', '.join(found)}" if found else "does not exist"
        raise SourceFormatError(f"table {table!r} lacks {', '.join(missing)}; it {state}", where=str(path))


def quoted(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
