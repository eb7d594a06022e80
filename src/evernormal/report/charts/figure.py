"""A chart with its title and alternative text, and its rendering to SVG, PNG and PDF.

The layout never depends on how wide a font of this machine draws a word, and no clip path carries a counter
of the process, so that the same result gives the same bytes (law 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import Any

from markupsafe import escape

__all__ = ["Figure"]

_ATTRIBUTE = re.compile(r'="[^"<>]*"')
_LONG_DECIMAL = re.compile(r"(\d\.\d)\d+")
_ARIA = re.compile(r' (?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"')
_CLIP = re.compile(r'(id="|url\(#)((?:clip|gradient_)\d+)')
_FONT = re.compile(r' font-family="[^"]*"')
_ANY_FONT = "sans-serif"
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>|<g></g>')


@dataclass(frozen=True)
class Figure:
    """One chart.

    Attributes:
        key: short name, unique in a page, such as ``supply``.
        title: what the chart shows, with the unit.
        description: what a reader who does not see it must know.
        spec: the Vega-Lite specification.
    """

    key: str
    title: str
    description: str
    spec: dict[str, Any]

    def chart(self) -> Any:
        """Return the Altair chart, for a notebook."""
        import altair as alt  # noqa: PLC0415 - heavy

        return alt.Chart.from_dict(self.spec)

    def svg(self) -> str:
        """Return accessible SVG to stand inside a page: ``role="img"`` with title and description."""
        return _accessible(self._raw_svg(), self)

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return self.svg()

    def svg_file(self) -> str:
        """Return an SVG document."""
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + self.svg() + "\n"

    def png(self, scale: float = 2.0) -> bytes:
        """Return PNG; text in Korean needs a Korean font on this machine."""
        import vl_convert  # noqa: PLC0415 - heavy

        return bytes(vl_convert.svg_to_png(self._raw_svg(), scale=scale))

    def pdf(self) -> bytes:
        """Return PDF; text in Korean needs a Korean font on this machine."""
        import vl_convert  # noqa: PLC0415 - heavy

        return bytes(vl_convert.svg_to_pdf(self._raw_svg()))

    def _raw_svg(self) -> str:
        import vl_convert  # noqa: PLC0415 - heavy

        font = str(self.spec.get("config", {}).get("font", _ANY_FONT))
        drawn = str(vl_convert.vegalite_to_svg(_in_font(self.spec, font, _ANY_FONT), allowed_base_urls=[]))
        return drawn.replace(f'font-family="{_ANY_FONT}"', f'font-family="{font}"')


def _in_font(part: Any, font: str, other: str) -> Any:
    """Name another font in a specification.

    The renderer measures every text, in a list of fonts far more slowly than in one.  No layout here depends
    on what it measures, so that it may measure any font; the picture names the list.
    """
    if isinstance(part, dict):
        return {key: _in_font(value, font, other) for key, value in part.items()}
    if isinstance(part, list):
        return [_in_font(value, font, other) for value in part]
    return other if part == font else part


def _accessible(raw: str, figure: Figure) -> str:
    """Shorten what the renderer wrote and give the picture a name."""
    head, _, body = raw.partition(">")
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    width, height = size.groups() if size else ("720", "300")
    body = _ATTRIBUTE.sub(lambda value: _LONG_DECIMAL.sub(r"\1", value[0]), _ARIA.sub("", body))
    previous = ""
    while previous != body:
        previous, body = body, _EMPTY.sub("", body)
    body, font = _font_once(_own_ids(body, figure.key))
    title, description = f"{figure.key}-title", f"{figure.key}-desc"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"{font} role="img" aria-labelledby="{title} {description}">'
        f'<title id="{title}">{escape(figure.title)}</title>'
        f'<desc id="{description}">{escape(figure.description)}</desc>{body}'
    )


def _font_once(body: str) -> tuple[str, str]:
    """Take the font that every text names out of the texts, to name it once for the picture."""
    fonts = set(_FONT.findall(body))
    if len(fonts) != 1:
        return body, ""
    return _FONT.sub("", body), fonts.pop()


def _own_ids(body: str, key: str) -> str:
    """Number the identifiers of one picture from zero under its own name."""
    numbers = count()
    names: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name = match[2]
        if name not in names:
            names[name] = f"{key}-{next(numbers)}"
        return match[1] + names[name]

    return _CLIP.sub(rename, body)
