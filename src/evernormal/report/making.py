"""Making a result again from what its lineage says: the same call, on the inputs that it was pinned to.

Only results of the functions named here can be made again: what a file says is never called by name alone.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from evernormal.errors import InputError, SnapshotError, UnknownNameError
from evernormal.result import Input, Result, sha256_of

__all__ = [
    "MAKERS",
    "Maker",
    "Pinned",
    "called",
    "made_again",
    "maker_of",
    "pinned_inputs",
    "pins",
    "require_inputs",
    "settings_of",
]


@dataclass(frozen=True)
class Maker:
    """The public function that makes results of one kind.

    Attributes:
        module: where it is.
        name: what it is called.
        narrow: column of a table of the result to the argument that asks for it alone.
        marks: settings that only calls of this function have; empty where the kind has one maker.
        stored: settings that name data sets of the user.
        renamed: setting of the call to the argument, where they are named differently.
        always: whether it reads the user's store without being told of a data set.
    """

    module: str
    name: str
    narrow: Mapping[str, str]
    marks: frozenset[str] = frozenset()
    stored: tuple[str, ...] = ("dataset",)
    renamed: Mapping[str, str] = field(default_factory=dict)
    always: bool = False

    @property
    def function(self) -> Callable[..., Result]:
        """The function itself."""
        found: Callable[..., Result] = getattr(
            importlib.import_module(f"evernormal.{self.module}"), self.name
        )
        return found


_COUNTRY, _IMPORTER = {"country": "countries"}, {"importer": "importers"}

MAKERS: Mapping[str, tuple[Maker, ...]] = {
    "basket-split": (Maker("network", "split_basket", {}, stored=("dataset", "customs")),),
    "concentration": (Maker("risk", "concentration", {**_IMPORTER, "code": "codes", "year": "years"}),),
    "concordance": (Maker("data", "concordance", {}),),
    "customs-shares": (Maker("data", "customs_shares", {}),),
    "dependence-trends": (Maker("risk", "dependence_trends", {}),),
    "eu-criticality": (Maker("risk", "eu_criticality_table", {}, stored=("scores",), always=True),),
    "eu-economic-importance": (
        Maker("risk", "eu_economic_importance_table", {}, stored=("uses", "scores"), always=True),
    ),
    "eu-supply-risk": (
        Maker("risk", "eu_supply_risk_table", {}, stored=("world", "sourcing", "scores"), always=True),
    ),
    "exposure": (Maker("risk", "exposure", {}),),
    "forecast": (Maker("risk", "forecast", {}, stored=("dataset", "customs")),),
    "form-codes": (Maker("network.code_history", "codes_of_form", {}, renamed={"form": "form_name"}),),
    "geopolrisk": (
        Maker("risk", "geopolrisk", {**_COUNTRY, "material": "materials", "year": "years"},
              stored=("dataset", "statistics")),
    ),
    "geopolrisk-differences": (
        Maker("risk", "geopolrisk_differences", {**_COUNTRY, "material": "materials", "year": "years"}),
    ),
    "method-disagreement": (Maker("risk", "method_disagreement", {}),),
    "mirror-flows": (Maker("data", "mirror_flows", {}),),
    "n-minus-one": (Maker("risk", "n_minus_one", _COUNTRY),),
    "net-import-reliance": (Maker("risk", "net_import_reliance", _COUNTRY),),
    "origin": (Maker("risk", "trace_origin", {"focal": "countries", "year": "years"}),),
    "resampling": (Maker("risk", "resample", {}),),
    "source-comparison": (Maker("data", "compare_sources", {}, stored=(), always=True),),
    "supplier-shares": (
        Maker("risk", "supplier_shares", {"year": "years"}, frozenset({"focal"})),
        Maker("network.suppliers", "suppliers", {}, frozenset({"form"}), ("facts",), {"form": "form_name"}),
        Maker("data", "supplier_shares", {"year": "years"}, renamed={"codes": "form_codes"}),
    ),
    "supply-stability": (
        Maker("risk", "monthly_stability", {}, frozenset({"customs"}), ("customs", "prices")),
        Maker("risk", "supply_stability", {}),
    ),
    "supply-risk": (Maker("risk", "supply_risk", {**_COUNTRY, "form": "forms"}),),
    "target-progress": (Maker("risk", "target_progress", {}),),
    "usgs-supply-risk": (Maker("risk", "usgs_supply_risk_table", _COUNTRY),),
    "visibility": (Maker("network", "visibility", {}, stored=("dataset", "customs")),),
}  # fmt: skip
"""Kind of result to the functions that make it, the most particular first."""


@dataclass(frozen=True)
class Pinned:
    """One input of a result and what became of it.

    Attributes:
        input: the input as the result names it.
        state: ``same``, ``changed``, ``gone`` or ``unchecked`` (no table of ours or of the store).
    """

    input: Input
    state: str


def maker_of(result: Result) -> Maker:
    """Return the function that made a result.

    Raises:
        InputError: results of this kind cannot be made again from their lineage.
    """
    call = set(result.lineage.call)
    for one in MAKERS.get(result.kind, ()):
        if one.marks <= call:
            return one
    raise InputError(
        f"a result of kind {result.kind!r} cannot be made again from its lineage",
        cure=f"Kinds that can: {', '.join(sorted(MAKERS))}.",
    )


def settings_of(result: Result) -> dict[str, Any]:
    """Return the arguments with which a result was made, without the folder of the store.

    Raises:
        InputError: a table of the caller's own entered, which no file holds.
    """
    made = maker_of(result)
    found = {}
    for name, value in result.lineage.call.items():
        if value == "given":
            raise InputError(
                f"{name} was a table of the caller's own, which the result does not hold",
                where=f"{result.kind} result",
                cure="Make the result again with that table.",
            )
        if value is not None and value != "":
            found[made.renamed.get(name, name)] = value
    if result.lineage.seed is not None:
        found["seed"] = result.lineage.seed
    return found


def pins(result: Result) -> dict[str, Any]:
    """Return the arguments that name exactly the vintages of the user's data sets that a result read."""
    call, used = result.lineage.call, [one.name for one in result.lineage.inputs]
    found: dict[str, Any] = {}
    for argument in maker_of(result).stored:
        name = call.get(argument)
        if isinstance(name, str):
            found[argument] = next((one for one in used if one.startswith(f"{name}/")), name)
        elif isinstance(name, list | tuple):
            found[argument] = [next((u for u in used if u.startswith(f"{n}/")), n) for n in name]
    return found


def made_again(result: Result, folder: str | Path | None = None, **other: Any) -> Result:
    """Make a result again on the inputs that it was made from.

    Args:
        result: the result.
        folder: folder of the user's store, where a data set of the user's was read.
        other: arguments to use in place of those of the call.

    Raises:
        InputError: the kind cannot be made again.
        SnapshotError: an input is gone or was changed.
    """
    require_inputs(result, folder)
    arguments = settings_of(result) | pins(result) | other
    again = _called(result, arguments, folder)
    if other:
        return again
    if _pairs(result) != _pairs(again) and result.lineage.call.get("as_of") is None:
        days = [one.as_of for one in result.lineage.inputs if one.as_of]  # data sets were added since
        again = _called(result, {**arguments, "as_of": max(days, default=None)}, folder)
    _require_same_inputs(result, again)
    return replace(again, lineage=replace(again.lineage, call=result.lineage.call))


def called(result: Result, folder: str | Path | None, **other: Any) -> Result:
    """Call what made a result with other arguments, on the latest vintage that they allow."""
    return _called(result, settings_of(result) | other, folder)


def _called(result: Result, arguments: Mapping[str, Any], folder: str | Path | None) -> Result:
    made = maker_of(result)
    given = {name: value for name, value in arguments.items() if value is not None}
    unknown = sorted(set(given) - set(inspect.signature(made.function).parameters))
    if unknown:
        raise InputError(
            f"{made.name} does not know {', '.join(unknown)}",
            where=f"call of the {result.kind} result",
            cure="The result was made by another version: make it again.",
        )
    if folder is not None and (made.always or any(given.get(name) is not None for name in made.stored)):
        given["folder"] = folder
    return made.function(**given)


def pinned_inputs(result: Result, folder: str | Path | None = None) -> tuple[Pinned, ...]:
    """Return every input of a result and whether it is still what it was."""
    return tuple(Pinned(one, _state(one, folder)) for one in result.lineage.inputs)


def require_inputs(result: Result, folder: str | Path | None = None) -> None:
    """Raise unless every input of a result is still what it was.

    Raises:
        SnapshotError: names the input, and whether it is gone or changed.
    """
    for one in pinned_inputs(result, folder):
        name = one.input.name
        if one.state == "gone":
            raise SnapshotError(
                f"the input {name} is not there any more",
                where=str(folder) if folder is not None else "no folder of a store was given",
                cure="Add the publisher's file again, or name the folder that held it.",
            )
        if one.state == "changed":
            raise SnapshotError(
                f"the input {name} is another than the one that the result was made from"
                f" (SHA-256 {one.input.sha256[:12]}...)",
                where=name,
                cure="Make the result again with this version, or use the version that made it.",
            )


def _pairs(result: Result) -> dict[str, str]:
    return {one.name: one.sha256 for one in result.lineage.inputs}


def _require_same_inputs(result: Result, again: Result) -> None:
    was, now = _pairs(result), _pairs(again)
    if was == now:
        return
    other = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    raise SnapshotError(
        f"made again, the result reads other inputs: {', '.join(other[:4])}",
        where=f"{result.kind} result",
        cure="Data sets were added since: ask as of the day of the result (as_of).",
    )


def _state(one: Input, folder: str | Path | None) -> str:
    if "/" in one.name:
        return _stored_state(one, folder)
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    try:
        now = inputs(one.name)[0].sha256
    except UnknownNameError:
        path = _typed_tables().get(one.name)
        if path is None:
            return "unchecked"
        now = sha256_of(path)
    return "same" if now == one.sha256 else "changed"


def _stored_state(one: Input, folder: str | Path | None) -> str:
    from evernormal.data import vintages  # noqa: PLC0415 - reads the journal

    if folder is None:
        return "gone"
    for found in vintages(folder):
        if f"{found.dataset}/{found.vintage}" == one.name and found.path.is_file():
            return "same" if sha256_of(found.path) == one.sha256 else "changed"
    return "gone"


@cache
def _typed_tables() -> Mapping[str, Path]:
    """Tables that are typed by hand and shipped, by the name of their file."""
    found: dict[str, Path] = {}
    for room in ("data", "network", "market", "risk"):
        place = Path(str(resources.files(f"evernormal.{room}") / "tables"))
        found |= {name: path for path in sorted(place.glob("*.csv")) for name in (path.name, path.stem)}
    return found
