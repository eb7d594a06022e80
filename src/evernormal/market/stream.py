"""Batches of an ensemble on their way to disk: written as they come, found again after a kill.

A folder ``unfinished`` beside the result holds the question (its hash and what it was made of), one Parquet
file per batch and a log with the hash of every batch that is whole.  What is not in the log, or differs from
its hash, does not exist.  When the result is written the folder goes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, SnapshotError, StorageError
from evernormal.market.batch import OUTCOMES, SERIES, Batch
from evernormal.result import sha256_of
from evernormal.storage import storage_error, system_error

__all__ = ["FOLDER", "Kept", "OnDisk", "Store"]

Floats = NDArray[np.float64]

FOLDER = "unfinished"
_QUESTION, _LOG = "question.json", "batches.jsonl"


class Store(Protocol):
    """Where batches are kept until the summaries are made."""

    def done(self) -> dict[int, int]:
        """Return first draw and number of draws of every batch that is kept."""

    def put(self, batch: Batch) -> None:
        """Keep a batch."""

    def column(self, names: list[str]) -> pl.DataFrame:
        """Return columns of all batches in the order of the draws."""


class Kept:
    """Batches in memory: for a call without a folder."""

    def __init__(self) -> None:
        self._tables: dict[int, pl.DataFrame] = {}

    def done(self) -> dict[int, int]:
        """Nothing is found again."""
        return {first: table.height for first, table in self._tables.items()}

    def put(self, batch: Batch) -> None:
        """Keep a batch."""
        self._tables[batch.first] = table_of(batch)

    def column(self, names: list[str]) -> pl.DataFrame:
        """Return columns of all batches in the order of the draws."""
        return pl.concat([self._tables[first].select(names) for first in sorted(self._tables)])


class OnDisk:
    """Batches in a folder beside the result.

    Args:
        folder: folder of the result.
        question: what is asked, as JSON can hold it; its ``sha256`` is compared.
        resume: go on with what is there; without it the folder must not hold an unfinished ensemble.

    What holds no whole batch, such as a run that never reached its cluster, is begun anew.

    Raises:
        InputError: another question is unfinished here, or the same one and ``resume`` is not given.
        SnapshotError: the files of the unfinished ensemble cannot be read.
        StorageError: disk full or no permission.
    """

    def __init__(self, folder: Path, question: Mapping[str, Any], *, resume: bool) -> None:
        self.place = folder / FOLDER
        self._said = f"the batches that are whole are kept in {self.place}; --resume goes on with them"
        self._done: dict[int, tuple[int, str]] = {}
        self._read_log()
        if self._done:
            self._require_same(question, resume)
            return
        try:
            if self.place.exists():
                shutil.rmtree(self.place)
            self.place.mkdir(parents=True)
            _replace(self.place / _QUESTION, json.dumps(question, indent=1, sort_keys=True, default=str))
        except OSError as error:
            raise storage_error(error, "nothing was changed") from error

    def _require_same(self, question: Mapping[str, Any], resume: bool) -> None:
        try:
            there = json.loads((self.place / _QUESTION).read_text("utf-8"))
            differing = sorted(
                str(key)
                for key in {*there, *question} - {"sha256"}
                if _plain(question.get(key)) != there.get(key)
            )
        except (ValueError, OSError, TypeError) as error:
            raise SnapshotError(
                f"the unfinished ensemble cannot be read ({error})",
                where=str(self.place),
                cure="Remove the folder and run the command again.",
            ) from error
        if there.get("sha256") != question["sha256"]:
            raise InputError(
                f"the unfinished ensemble here asks something else ({', '.join(differing) or 'sha256'})",
                where=str(self.place),
                cure="Ask the same again, give another folder, or remove this one.",
            )
        if not resume:
            raise InputError(
                "an unfinished ensemble of the same question is here",
                where=str(self.place),
                cure="Go on with it (--resume), give another folder, or remove this one.",
            )

    def _read_log(self) -> None:
        """Read the log; a line that was cut off by a kill ends it."""
        for line in self._lines():
            try:
                row = json.loads(line)
                first, count, digest = int(row["first"]), int(row["draws"]), str(row["sha256"])
            except (ValueError, KeyError, TypeError):
                break
            path = self._file(first)
            if path.is_file() and sha256_of(path) == digest:
                self._done[first] = (count, digest)

    def _lines(self) -> Iterator[str]:
        log = self.place / _LOG
        if log.is_file():
            yield from log.read_text("utf-8", errors="replace").splitlines()

    def _file(self, first: int) -> Path:
        return self.place / f"draws-{first:08d}.parquet"

    def done(self) -> dict[int, int]:
        """Return first draw and number of draws of every batch that is whole."""
        return {first: count for first, (count, _) in self._done.items()}

    def put(self, batch: Batch) -> None:
        """Write a batch beside its place, move it there, and log it.

        Raises:
            StorageError: disk full or no permission; what was written before stays.
        """
        path = self._file(batch.first)
        building = path.with_suffix(".part")
        try:
            table_of(batch).write_parquet(building, compression="zstd", statistics=False)
            digest = sha256_of(building)
            building.replace(path)
            row = {"first": batch.first, "draws": len(batch.values), "sha256": digest}
            with (self.place / _LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(row, sort_keys=True) + "\n")
        except OSError as error:
            raise storage_error(error, self._said) from error
        except pl.exceptions.PolarsError as error:
            raise self._refused(error) from error
        self._done[batch.first] = (len(batch.values), digest)

    def _refused(self, error: Exception) -> StorageError:
        refused = system_error(error)
        if refused is None:
            raise error
        return storage_error(refused, self._said)

    def column(self, names: list[str]) -> pl.DataFrame:
        """Return columns of all batches in the order of the draws."""
        parts = [pl.read_parquet(self._file(first), columns=names) for first in sorted(self._done)]
        return pl.concat(parts)

    def remove(self) -> None:
        """Remove the folder once the result is written."""
        shutil.rmtree(self.place, ignore_errors=True)


def table_of(batch: Batch) -> pl.DataFrame:
    """One row per draw: values of the factors, outcomes and monthly series by chain, failures as text."""
    count, chains = batch.outcomes[OUTCOMES[0]].shape
    failed = {(draw, chain): why for draw, chain, why in batch.failures}
    columns: dict[str, Any] = {"draw": np.arange(batch.first, batch.first + count)}
    columns |= {f"factor_{d}": batch.values[:, d] for d in range(batch.values.shape[1])}
    for k in range(chains):
        columns |= {f"{name}_{k}": batch.outcomes[name][:, k] for name in OUTCOMES}
        for name in SERIES:
            paths = batch.series[name][:, k]
            columns |= {f"{name}_{k}_{t}": paths[:, t] for t in range(paths.shape[1])}
        texts = [failed.get((batch.first + n, k)) for n in range(count)]
        columns[f"failure_{k}"] = pl.Series(texts, dtype=pl.String)
    return pl.DataFrame(columns)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def _replace(path: Path, text: str) -> None:
    building = path.with_suffix(".part")
    building.write_text(text + "\n", "utf-8")
    building.replace(path)
