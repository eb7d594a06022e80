"""What every public function returns: labelled tables, findings, coverage and lineage.

A :class:`Result` can be saved as a folder of Parquet files plus ``result.json``, loaded again, and asked
where any of its numbers comes from (:func:`evernormal.report.explain`).  It never carries a clock time: the
same inputs, seed and version give the same bytes (law 6).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from evernormal.errors import InputError, SnapshotError, UnknownNameError
from evernormal.storage import written

__all__ = ["Derivation", "Finding", "Grade", "Input", "Lineage", "Parameter", "Result", "sha256_of"]

Level = Literal["info", "caution", "warning"]
Grade = Literal["A", "B", "C"]


@dataclass(frozen=True)
class Finding:
    """A warning as data: what a reader must know before trusting a number.

    Attributes:
        code: stable kebab-case name; translations hang on it.
        level: ``info`` (context), ``caution`` (widens the range), ``warning`` (could change the decision).
        message: one English sentence, complete by itself.
        values: the figures and names inside the message, for translation and filtering.
    """

    code: str
    level: Level
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """One input of a result: a table, a file or a document, pinned by hash."""

    name: str
    sha256: str
    source: str
    licence: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class Parameter:
    """One number that is not an observation, with its interval, grade and source (law 10)."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    grade: Grade
    source: str


@dataclass(frozen=True)
class Derivation:
    """How a column of a result table was made.

    Attributes:
        table: result table.
        column: column of it.
        equation: key of :data:`evernormal.equations.EQUATIONS`; empty for an observation.
        inputs: ``table.column`` names inside the same result, or ``parameter:NAME``.
        text: one plain sentence.
    """

    table: str
    column: str
    equation: str
    inputs: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Lineage:
    """Inputs by hash, parameters, version and seed: enough to make the result again."""

    version: str
    inputs: tuple[Input, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    seed: int | None = None
    call: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Labelled tables with units, findings, coverage and lineage.

    Attributes:
        kind: what this is a result of, such as ``"simulation"``.
        tables: name to table.
        units: table to column to unit; text and date columns need none.
        findings: what a reader must know.
        coverage: one row per thing that was asked and whether data covered it.
        lineage: where everything came from.
    """

    kind: str
    tables: Mapping[str, pl.DataFrame]
    units: Mapping[str, Mapping[str, str]]
    lineage: Lineage
    findings: tuple[Finding, ...] = ()
    coverage: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "units", MappingProxyType({k: dict(v) for k, v in self.units.items()}))
        self._require_units()

    def _require_units(self) -> None:
        for name, table in self.tables.items():
            known = self.units.get(name, {})
            missing = [
                column for column, dtype in table.schema.items() if dtype.is_float() and column not in known
            ]
            if missing:
                raise InputError(
                    f"no unit for {', '.join(missing)}",
                    where=f"result table {name!r}",
                    cure="Give every float column a unit (law 4).",
                )

    def __getitem__(self, table: str) -> pl.DataFrame:
        try:
            return self.tables[table]
        except KeyError:
            raise UnknownNameError("table", table, self.tables, where=f"{self.kind} result") from None

    def scalar(self, name: str) -> Any:
        """Return one value of the ``summary`` table (columns ``name, value``)."""
        summary = self["summary"]
        found = summary.filter(pl.col("name") == name)
        if found.is_empty():
            raise UnknownNameError("summary value", name, summary["name"].to_list())
        return found["value"][0]

    def with_call(self, **settings: Any) -> Result:
        """Return the same result with more of what it was asked with in its lineage; None is left out."""
        more = {name: value for name, value in settings.items() if value is not None}
        return replace(self, lineage=replace(self.lineage, call={**self.lineage.call, **more}))

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``result.json`` and one Parquet file per table, all or nothing; return the paths written.

        Raises:
            StorageError: disk full or no permission; what the folder held is as it was.
        """
        target = Path(folder)
        names: list[str] = []

        def write(place: Path) -> Path:
            head = self.write_into(place)
            names.extend(
                sorted((path.name for path in place.iterdir()), key=lambda n: (n == "result.json", n))
            )
            return head

        written(target, {"result": write})
        return [target / name for name in names]

    def write_into(self, folder: Path) -> Path:
        """Write the files straight into ``folder`` and return that of ``result.json``; see :meth:`save`.

        For a caller that moves a whole folder into place itself.
        """
        hashes: dict[str, str] = {}
        for name, table in {**self.tables, "coverage": self.coverage}.items():
            path = folder / f"{name}.parquet"
            table.write_parquet(path, compression="zstd", statistics=False)
            hashes[name] = sha256_of(path)
        head = {
            "kind": self.kind,
            "units": {k: dict(v) for k, v in self.units.items()},
            "findings": [asdict(f) for f in self.findings],
            "lineage": asdict(self.lineage),
            "sha256": hashes,
            "tables": list(self.tables),
        }
        path = folder / "result.json"
        text = json.dumps(head, ensure_ascii=False, indent=1, sort_keys=True, default=str)
        path.write_text(text + "\n", "utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read what :meth:`save` wrote, checking every hash."""
        source = Path(folder)
        head_path = source / "result.json"
        if not head_path.is_file():
            raise InputError(
                f"no result.json in {source}", cure="Give the folder that `evernormal brief --out` wrote."
            )
        try:
            head = json.loads(head_path.read_text("utf-8"))
            hashes: dict[str, str] = head["sha256"]
            lineage = _lineage(head["lineage"])
            findings = tuple(Finding(**f) for f in head["findings"])
            order = {name: place for place, name in enumerate(head.get("tables", ()))}
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(
                f"result.json cannot be read ({error})", where=str(head_path), cure="Make the result again."
            ) from error
        tables: dict[str, pl.DataFrame] = {}
        for name, digest in sorted(hashes.items(), key=lambda one: order.get(one[0], len(order))):
            path = source / f"{name}.parquet"
            if not path.is_file() or sha256_of(path) != digest:
                raise SnapshotError(
                    f"table {name!r} is missing or was changed after it was written",
                    where=str(path),
                    cure="Make the result again.",
                )
            tables[name] = pl.read_parquet(path)
        coverage = tables.pop("coverage", pl.DataFrame())
        return cls(head["kind"], tables, head["units"], lineage, findings, coverage)


def _lineage(raw: dict[str, Any]) -> Lineage:
    return Lineage(
        version=raw["version"],
        inputs=tuple(Input(**i) for i in raw["inputs"]),
        parameters=tuple(Parameter(**p) for p in raw["parameters"]),
        derivations=tuple(Derivation(**{**d, "inputs": tuple(d["inputs"])}) for d in raw["derivations"]),
        seed=raw["seed"],
        call=raw["call"],
    )


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file as lower-case hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def require_columns(table: pl.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise when ``table`` lacks one of ``columns``, naming both sides (law 3)."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise InputError(
            f"table {name!r} lacks column {', '.join(missing)}",
            cure=f"It has {', '.join(table.columns)}.",
        )
