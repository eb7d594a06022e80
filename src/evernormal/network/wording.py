"""One plain sentence per measure, in English and in Korean, for reports."""

from __future__ import annotations

from evernormal.errors import UnknownNameError
from evernormal.network.measures import Measure
from evernormal.network.wording_en import english
from evernormal.network.wording_ko import korean, with_particles

__all__ = ["sentence"]


def sentence(measure: Measure, language: str, *, focal: str, form: str) -> str:
    """Return the sentence of :func:`evernormal.network.measures.describe`."""
    if language not in {"en", "ko"}:
        raise UnknownNameError("language", language, ("en", "ko"))
    act = measure.resolved(focal, form) if form or measure.forms else measure
    return english(act) if language == "en" else with_particles(korean(act))
