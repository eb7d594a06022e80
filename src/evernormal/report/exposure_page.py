"""The page on a country's dependence: one self-contained file, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evernormal.errors import EvernormalError, UnknownNameError
from evernormal.report import exposure_story as story
from evernormal.report.charting import chart
from evernormal.report.exposure_parts import Dossier, Group
from evernormal.report.language import Language, clean, language
from evernormal.report.percents import spanned, whole_percent
from evernormal.result import Finding, Result
from evernormal.storage import written

__all__ = ["FORMATS", "render_exposure", "write_exposure"]

FORMATS = ("html", "xlsx", "figures")
WORST, SMALL, WIDE, HEAT, DISPUTED = 10, 420, 720, 960, 5

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text and its style (``h0`` to ``h4`` for how dark, ``hu`` unknown)."""

    text: str
    style: str = ""


def render_exposure(dossier: Dossier, lang: str = "en") -> str:
    """Return the page: no script, no font and no picture from outside, and a policy that forbids any request.

    Args:
        dossier: what :func:`evernormal.report.exposure_parts.gather` put together.
        lang: ``en`` or ``ko``.

    Raises:
        UnknownNameError: another language.
    """
    return _rendered(dossier, lang, _figures(dossier, lang))


def _rendered(dossier: Dossier, lang: str, figures: Mapping[str, Any]) -> str:
    words = language(lang)
    environment = Environment(
        loader=PackageLoader("evernormal.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("exposure.html.j2").render(_page(dossier, words, figures)) + "\n"


def _page(dossier: Dossier, words: Language, figures: Mapping[str, Any]) -> dict[str, Any]:
    result = dossier.exposure
    known = story.known_rows(result)
    drawn = {key: Markup(figure.svg()) for key, figure in figures.items()}
    return {
        "lang": words.code,
        "text": words.text,
        "version": result.lineage.version,
        "css": Markup("".join(_style(name) for name in ("brief.css", "exposure.css"))),
        "title": _title(dossier, words),
        "meta": _meta(dossier, words, known),
        "asked": result.lineage.call.get("as_of"),
        "asked_text": words.date(str(result.lineage.call.get("as_of") or "")),
        "answer": story.answer(result, words, _worst_of_groups(dossier)),
        "joint": ". " if words.korean else " ",
        "unknown_line": story.unknown_line(result, words),
        "duty": story.duty_sentence(result, words),
        "headings": [words.text(f"exposure.column_{key}") for key in _COLUMNS],
        "worst_heading": words.text(
            "exposure.section_worst" if known.height >= WORST else "exposure.section_worst_few"
        ),
        "worst": [_cells(words, row, result) for row in known.head(WORST).iter_rows(named=True)],
        "listed": words.text(_listed(dossier)),
        "groups": [_group(words, group, dossier, drawn) for group in dossier.groups],
        "figures": drawn,
        "reasons": _reasons(dossier, words),
        "findings": _findings(dossier, words),
        "inputs": _inputs(dossier, words),
        "command": _command(dossier, words),
    }


def _style(name: str) -> str:
    return (resources.files("evernormal.report") / "templates" / name).read_text("utf-8")


def _title(dossier: Dossier, words: Language) -> str:
    return words.text("exposure.title", place=words.country(dossier.place), year=str(dossier.year))


def _meta(dossier: Dossier, words: Language, known: pl.DataFrame) -> str:
    days = known["as_of"].drop_nulls().sort()
    return words.text(
        "exposure.meta",
        year=str(dossier.year),
        known=known.height,
        all=dossier.exposure["exposure"].height,
        as_of=words.date(days[-1]) if days.len() else words.unknown,
    )


def _listed(dossier: Dossier) -> str:
    if not dossier.listed:
        return "exposure.listed_own"
    return "exposure.listed" if dossier.place == "KOR" else "exposure.listed_other"


def _worst_of_groups(dossier: Dossier) -> pl.DataFrame:
    """Return the worst form of each material whose largest supplier is known."""
    rows = [
        group.table.filter((pl.col("known_by") != "nothing") & pl.col("supplier").is_not_null()).head(1)
        for group in dossier.groups
    ]
    return pl.concat(rows) if rows else dossier.exposure["exposure"].clear()


# --- tables ------------------------------------------------------------------------------------------------

_COLUMNS = (
    "form", "supplier", "imports", "share", "since", "trend", "china", "reliance", "lost", "mine", "duty",
    "source",
)  # fmt: skip


def _cells(words: Language, row: Row, result: Result) -> list[Cell]:
    """Return one row of the table of forms; what is unknown is hatched and says so."""
    unknown = Cell(words.unknown, "hu")
    china = row["china_value"] if row["china_value"] is not None else row["china_quantity"]
    lost = None if row["remaining"] is None else min(1.0, max(0.0, 1.0 - row["remaining"]))
    place = result.lineage.call["country"]
    return [
        Cell(words.form(row["form"]), "word"),
        Cell(words.country(row["supplier"]), "word") if row["supplier"] else unknown,
        unknown if row["imports_usd"] is None else Cell(words.money(row["imports_usd"])),
        _heat(words, story.share_of(row)),
        _since(words, row),
        _trend(words, row),
        Cell("–") if place == "CHN" else _heat(words, china),
        _heat(words, row["reliance"]),
        _heat(words, lost),
        _mine(words, row),
        unknown
        if row["duty"] is None
        else Cell(words.text("exposure.duty_yes" if row["duty"] else "exposure.duty_no")),
        Cell(words.text(_BY[row["known_by"]]), "word"),
    ]


_BY = {
    "trade": "exposure.by_trade",
    "published shares": "exposure.by_shares",
    "nothing": "exposure.by_nothing",
}


def _heat(words: Language, share: float | None, text: str = "") -> Cell:
    from evernormal.report.charts.heatmap import level  # noqa: PLC0415 - Altair is heavy

    if share is None:
        return Cell(words.unknown, "hu")
    shown = text or whole_percent(words, share)
    return Cell(shown, f"h{level(share, 1.0)}")


def _since(words: Language, row: Row) -> Cell:
    share = story.share_of(row)
    if share is not None and share < 0.5:
        return Cell("–")
    if row["since"] is None:
        return Cell(words.unknown, "hu")
    first = row["since"] <= 1995
    return Cell(words.text("exposure.before", year=str(row["since"])) if first else str(row["since"]))


def _trend(words: Language, row: Row) -> Cell:
    if row["trend"] is None:
        return Cell(words.unknown, "hu")
    sign = "*" if row["direction"] in {"worse", "better"} else ""
    return Cell(words.number(100 * row["trend"], 1, signed=True) + sign, "strong" if sign else "")


def _mine(words: Language, row: Row) -> Cell:
    if row["mine"] is None:
        return Cell(words.unknown, "hu")
    share = row["mine_share"]
    span = spanned(words, share, row["mine_low"], row["mine_high"])
    return _heat(words, share, f"{words.country(row['mine'])} {span}")


def _group(words: Language, group: Group, dossier: Dossier, drawn: Mapping[str, Markup]) -> dict[str, Any]:
    """Return what the page shows of one material."""
    known = group.table.filter(pl.col("known_by") != "nothing")
    blank = group.table.filter(pl.col("known_by") == "nothing")["form"].to_list()
    notes = []
    if known.is_empty():
        notes.append(words.text("exposure.group_none", count=group.table.height))
    elif blank:
        names = ", ".join(words.inline(words.form(form)) for form in blank)
        notes.append(words.text("exposure.group_unknown", names=names))
    notes += _absent(words, group, drawn)
    keys = [key for key in drawn if key.partition(":")[0] == group.name]
    return {
        "id": group.name,
        "heading": story.group_names(words, group.materials, group.name),
        "rows": [_cells(words, row, dossier.exposure) for row in known.iter_rows(named=True)],
        "notes": notes,
        "wide": [drawn[key] for key in keys if key.endswith((":origin", ":ranks"))],
        "small": [drawn[key] for key in keys if not key.endswith((":origin", ":ranks"))],
    }


def _absent(words: Language, group: Group, drawn: Mapping[str, Markup]) -> list[str]:
    """Say why a picture of the worst form is not there."""
    if group.lead is None:
        return []
    form = words.inline(words.form(group.lead))
    notes = []
    if f"{group.name}:origin" not in drawn:
        notes.append(words.text("exposure.no_origin", form=form))
        if group.origin is not None and (parts := _stages(words, group.origin)):
            notes.append(words.text("exposure.shares_only", parts=parts))
    if group.forecast is None:
        said = group.missing.get("forecast", "")
        key = "library" if "install" in said or "package" in said else "short"
        key = "place" if "country" in said else key
        notes.append(
            words.text("exposure.no_forecast", form=form, reason=words.text(f"exposure.reason_{key}"))
        )
    return notes


def _stages(words: Language, origin: Result) -> str:
    """Return the largest country of every stage with its interval."""
    parts = []
    for (stage,), rows in origin["origin"].group_by(["stage"], maintain_order=True):
        best = rows.row(0, named=True)
        if best["share"] < 0.005:
            continue
        span = spanned(words, best["share"], best["low"], best["high"])
        parts.append(f"{words.text(f'visual.stage_{stage}')} {words.country(best['country'])} {span}")
    return ", ".join(parts)


# --- figures -----------------------------------------------------------------------------------------------


def _figures(dossier: Dossier, lang: str) -> dict[str, Any]:
    """Return every figure by ``group:name``; what cannot be drawn is left out."""
    found: dict[str, Any] = {}

    def draw(key: str, result: Result | None, name: str, **choices: Any) -> None:
        if result is None:
            return
        try:
            figure = chart(result, name, lang, **choices)
        except EvernormalError:
            return
        found[key] = replace(figure, key=key.replace(":", "-").replace("/", "-"))

    ranked = dossier.disagreement
    for group in dossier.groups:
        where = group.name
        forms = group.table.filter(pl.col("known_by") != "nothing")["form"].to_list()
        draw(f"{where}:origin", group.origin, "sankey", width=WIDE, country=dossier.place)
        for form, shares in group.shares.items():
            if shares["shares"].select("year", "supplier").n_unique() == 1:
                continue  # one published figure: the table of the group has it
            draw(f"{where}:shares-{form.rpartition('/')[2]}", shares, "shares", width=SMALL)
        source = group.origin if group.origin is not None else next(iter(group.shares.values()), None)
        draw(f"{where}:map", source, "map", width=SMALL)
        draw(f"{where}:forecast", group.forecast, "forecast", width=SMALL)
        if group.visibility is not None and _hidden(group.visibility):
            draw(f"{where}:visibility", group.visibility, "visibility", width=SMALL)
        if set(forms) & set(_ranked(dossier)):
            draw(f"{where}:ranks", ranked, "ranks", width=WIDE, forms=tuple(forms))
    draw("all:heatmap", dossier.exposure, "heatmap", width=HEAT, more=dossier.more)
    draw("all:ranks", ranked, "ranks", width=WIDE)
    return found


def _ranked(dossier: Dossier) -> list[str]:
    """Return the forms that the methods rank."""
    if dossier.disagreement is None:
        return []
    forms: list[str] = dossier.disagreement["ranks"]["form"].to_list()
    return forms


def _reasons(dossier: Dossier, words: Language) -> list[str]:
    """Return why the methods differ about the forms that they differ most about."""
    if dossier.disagreement is None:
        return []
    rows = dossier.disagreement["ranks"].head(DISPUTED)
    column = f"reason_{words.code}"
    return [
        words.text("exposure.reason", form=words.form(form), reason=clean(reason))
        for form, reason in rows.select("form", column).iter_rows()
        if reason
    ]


def _hidden(visibility: Result) -> bool:
    """Whether trade leaves open how much of any element there is."""
    seen = visibility["elements"]["value_visibility"].drop_nulls()
    return bool((seen < 0.995).any())


# --- foot --------------------------------------------------------------------------------------------------


def _findings(dossier: Dossier, words: Language) -> list[tuple[str, str, str]]:
    """Return level, its word and the sentence of every finding of the exposure and of the origins, once."""
    order = ("warning", "caution", "info")
    kept: dict[tuple[str, str], Finding] = {}
    origins = [group.origin for group in dossier.groups if group.origin is not None]
    for result in (dossier.exposure, *dossier.more, *origins):
        for finding in result.findings:
            kept.setdefault((finding.code, finding.message), finding)
    ranked = sorted(kept.values(), key=lambda f: order.index(f.level))
    return [(f.level, words.text(f"level.{f.level}"), words.finding(f)) for f in ranked]


def _inputs(dossier: Dossier, words: Language) -> list[tuple[str, ...]]:
    """Return every input once, pinned by the first twelve digits of its hash."""
    kept = {(i.name, i.sha256): i for result in dossier.results() for i in result.lineage.inputs}
    return [
        tuple(clean(part) for part in (i.name, i.source, i.licence, i.as_of or words.unknown, i.sha256[:12]))
        for i in kept.values()
    ]


def _command(dossier: Dossier, words: Language) -> str:
    call = dossier.exposure.lineage.call
    parts = [
        "evernormal exposure",
        str(call["country"]),
        f"--year {call['year']}",
        "--out DIR",
        f"--lang {words.code}",
    ]
    if call.get("dataset"):
        parts.append(f"--trade {call['dataset']}")
    if call.get("as_of"):
        parts.append(f"--as-of {call['as_of']}")
    if not dossier.listed:
        parts += [f"--material {one}" for group in dossier.groups for one in group.materials]
    return clean(" ".join(parts))


# --- files -------------------------------------------------------------------------------------------------


def write_exposure(
    dossier: Dossier, folder: str | Path, lang: str = "en", formats: Sequence[str] = FORMATS
) -> dict[str, Path]:
    """Write the page, the workbook and the figures into a folder, all or nothing.

    Args:
        dossier: what :func:`evernormal.report.exposure_parts.gather` put together.
        folder: made when absent; other files in it stay.
        lang: ``en`` or ``ko``.
        formats: of ``html`` (``exposure.LANG.html``), ``xlsx`` (``exposure.LANG.xlsx``) and ``figures`` (one
            SVG file a figure, ``figure-NAME.LANG.svg``).

    Returns:
        Format to path; for ``figures`` the path of the heat map, beside which the others stand.

    Raises:
        UnknownNameError: another language or format.
        InputError: the library of the workbook is not installed.
        StorageError: the folder cannot be written; what it held is as it was.
    """
    language(lang)
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    figures = _figures(dossier, lang)

    def page(place: Path) -> Path:
        path = place / f"exposure.{lang}.html"
        path.write_text(_rendered(dossier, lang, figures), "utf-8")
        return path

    def book(place: Path) -> Path:
        from evernormal.report.workbook_exposure import exposure_workbook  # noqa: PLC0415 - an extra

        path = place / f"exposure.{lang}.xlsx"
        path.write_bytes(exposure_workbook(dossier, lang))
        return path

    def pictures(place: Path) -> Path:
        last = place
        for figure in figures.values():
            last = place / f"figure-{figure.key}.{lang}.svg"
            last.write_text(figure.svg_file(), "utf-8")
        wanted = place / f"figure-all-heatmap.{lang}.svg"
        return wanted if wanted.is_file() else last

    makers: dict[str, Callable[[Path], Path]] = {"html": page, "xlsx": book, "figures": pictures}
    chosen = [name for name in dict.fromkeys(formats) if name != "figures" or figures]
    return written(Path(folder), {name: makers[name] for name in chosen})
