"""The brief: one self-contained page in English or Korean, and the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evernormal.errors import InputError, UnknownNameError
from evernormal.report import rows, story
from evernormal.report.assumptions import parameter_groups
from evernormal.report.basis import basis
from evernormal.report.figures import key_figures
from evernormal.report.language import clean, language
from evernormal.report.reading import Reading
from evernormal.result import Result
from evernormal.storage import written

__all__ = ["FORMATS", "render_html", "write_brief"]

FORMATS = ("html", "xlsx", "parquet")


def render_html(result: Result, lang: str = "en") -> str:
    """Return the brief as one page that needs nothing from outside: no script, no font, no picture file.

    Args:
        result: a simulation result.
        lang: ``en`` or ``ko``.

    Returns:
        HTML5 with a content security policy that forbids every request; text from the result is escaped.

    Errors: :class:`UnknownNameError` for another language; :class:`InputError` for a result without
    ``supply`` and ``summary``.
    """
    reading = Reading.of(_simulation(result), lang)
    environment = Environment(
        loader=PackageLoader("evernormal.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    return environment.get_template("brief.html.j2").render(_page(reading)) + "\n"


def _simulation(result: Result) -> Result:
    missing = [name for name in ("supply", "summary") if name not in result.tables]
    if missing:
        raise InputError(
            f"a {result.kind} result has no table {' and '.join(missing)}",
            cure="Give the result of a simulation.",
        )
    return result


def _page(reading: Reading) -> dict[str, Any]:
    """Return everything that the template shows."""
    words, result = reading.words, reading.result
    sentences = story.headline(reading)
    return {
        "lang": words.code,
        "text": words.text,
        "version": result.lineage.version,
        "css": Markup((resources.files("evernormal.report") / "templates" / "brief.css").read_text("utf-8")),
        "word_class": Markup(' class="word"'),
        "total_class": Markup(' class="total"'),
        "title": reading.title,
        "description": reading.description,
        "meta": _meta(reading),
        "headline": sentences,
        "stop": story.stop(reading),
        "not_known": story.not_known(reading),
        "figures": key_figures(reading),
        "basis": basis(reading),
        "share_based": story.share_based(reading),
        "charts": _charts(reading),
        "measures": rows.measures(reading),
        "suppliers": rows.suppliers(reading),
        "suppliers_intro": _suppliers_intro(reading),
        "stepping_in": rows.stepping_in(reading),
        "end_uses": rows.end_uses(reading),
        "ranges": rows.ranges(reading),
        "range_intro": _range_intro(reading),
        "coverage": rows.coverage_text(reading),
        "findings": _findings(reading),
        "method": story.method(reading),
        "documents": _documents(reading),
        "inputs": rows.inputs(reading),
        "command": story.reproduce(reading),
        "months": rows.month_by_month(reading),
        "parameters": parameter_groups(reading),
        "grades": _grades(reading),
    }


def _charts(reading: Reading) -> dict[str, Markup]:
    from evernormal.report.charts import draw_all  # noqa: PLC0415 - Altair is heavy

    figures = draw_all(reading.result, reading.words.code)
    return {key: Markup(figure.svg()) for key, figure in figures.items()}


def _meta(reading: Reading) -> str:
    words, months = reading.words, reading.months
    return words.text(
        "brief.meta",
        form=reading.form_name,
        focal=reading.focal_name,
        first=words.month(months[0]) if months else words.unknown,
        last=words.month(months[-1]) if months else words.unknown,
        months=len(months),
        year=reading.base_year,
    )


def _suppliers_intro(reading: Reading) -> str:
    words, window = reading.words, reading.biting_months
    if not window:
        return words.text("intro.suppliers_plain")
    return words.text("intro.suppliers", first=words.month(window[0]), last=words.month(window[-1]))


def _range_intro(reading: Reading) -> str:
    if reading.draws is None:
        return reading.words.text("intro.range_plain")
    return reading.words.text("intro.range", draws=reading.draws)


def _findings(reading: Reading) -> list[tuple[str, str, str]]:
    """Return level, its word and the sentence of every finding, the gravest first."""
    order = ("warning", "caution", "info")
    found = sorted(reading.result.findings, key=lambda f: order.index(f.level))
    return [(f.level, reading.words.text(f"level.{f.level}"), reading.words.finding(f)) for f in found]


def _documents(reading: Reading) -> list[str]:
    found = reading.scenario.get("sources") or reading.result.lineage.call.get("sources") or ()
    return [clean(_document(source)) for source in found]


def _document(source: object) -> str:
    """Return a source of a scenario, its title first whatever the order of its keys."""
    if not isinstance(source, dict):
        return str(source)
    ordered = sorted(source.items(), key=lambda item: (item[0] != "title", item[0]))
    return ": ".join(str(part) for _, part in ordered if part)


def _grades(reading: Reading) -> str:
    grades = [p.grade for p in reading.result.lineage.parameters]
    return reading.words.text("intro.grades", a=grades.count("A"), b=grades.count("B"), c=grades.count("C"))


def write_brief(
    result: Result, folder: str | Path, lang: str = "en", formats: Sequence[str] = FORMATS
) -> dict[str, Path]:
    """Write the brief, the workbook and the result into a folder, all or nothing.

    Every file is made beside its place and moved there when all are complete; a folder that already holds a
    brief keeps it when the disk is full.

    Args:
        result: a simulation result.
        folder: made when absent; other files in it stay.
        lang: ``en`` or ``ko``.
        formats: of ``html`` (``brief.LANG.html``), ``xlsx`` (``brief.LANG.xlsx``) and ``parquet`` (one
            file a table and ``result.json``).

    Returns:
        Format to path; for ``parquet`` the path of ``result.json``.

    Errors: :class:`UnknownNameError` for a language or format; :class:`InputError` when the library of the
    workbook is not installed; :class:`StorageError` for a full disk or a folder that cannot be written.
    """
    language(lang)
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    _simulation(result)
    makers: dict[str, Callable[[Path], Path]] = {
        "html": lambda place: _write_html(result, lang, place),
        "xlsx": lambda place: _write_workbook(result, lang, place),
        "parquet": result.write_into,
    }
    return written(Path(folder), {name: makers[name] for name in dict.fromkeys(formats)})


def _write_html(result: Result, lang: str, place: Path) -> Path:
    path = place / f"brief.{lang}.html"
    path.write_text(render_html(result, lang), "utf-8")
    return path


def _write_workbook(result: Result, lang: str, place: Path) -> Path:
    from evernormal.report.workbook import workbook_bytes  # noqa: PLC0415 - an extra

    path = place / f"brief.{lang}.xlsx"
    path.write_bytes(workbook_bytes(result, lang))
    return path
