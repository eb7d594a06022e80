"""What do people read? Charts, pages, workbooks and messages.

``chart`` draws any result; ``brief`` writes page, workbook and data of a simulation, ``exposure_page``
those of a country's dependence; ``summary`` gives a simulation as JSON and for a terminal; ``explain`` walks
from a number back to its sources and ``replay`` gives it as it was known earlier; ``language`` holds every
word in English and Korean.

>>> from evernormal import report, risk
>>> report.chart(risk.trace_origin("nickel/ore", "KOR", [2023]), "map", "ko").title
'한국 니켈 광석 및 정광 수입의 공급 경로(2023년, 수입 비중 %)'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.report.brief import write_brief
    from evernormal.report.charting import chart, write_chart
    from evernormal.report.explaining import explain
    from evernormal.report.exposure_page import write_exposure
    from evernormal.report.exposure_parts import gather
    from evernormal.report.replaying import replay

_HOMES = {
    "chart": "charting",
    "explain": "explaining",
    "gather": "exposure_parts",
    "replay": "replaying",
    "write_brief": "brief",
    "write_chart": "charting",
    "write_exposure": "exposure_page",
}

__all__ = ["chart", "explain", "gather", "replay", "write_brief", "write_chart", "write_exposure"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.report.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.report' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
