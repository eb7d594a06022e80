"""A scenario whose measures are those of policy records."""

from __future__ import annotations

import json

from evernormal.network.known import form_name
from evernormal.network.scenario import Scenario, scenario_from
from evernormal.result import Result

__all__ = ["scenario_from_policies"]


def scenario_from_policies(
    measures: Result,
    name: str,
    form: str,
    focal: str,
    start: str,
    *,
    months: int = 24,
    base_year: int | None = None,
) -> Scenario:
    """Return a scenario with the measures of :func:`measures_from_policies`.

    Args:
        measures: the result.
        name: lower-case words joined by hyphens.
        form: form that the question is about.
        focal: focal country: ISO 3166 alpha-3.
        start: first month of the horizon, like ``2023-10``.
        months: length of the horizon.
        base_year: year of the base picture; the year before ``start`` when left out.

    Raises:
        ScenarioError: what is wrong, with its key.
    """
    acts = [json.loads(text) for text in measures["measures"]["definition"]]
    urls = sorted({url for url in measures["measures"]["url"] if url})
    plain = {
        "name": name,
        "title": {
            "en": f"Recorded policies on {form_name(form).lower()}",
            "ko": f"{form_name(form, 'ko')} 관련 정책 기록",
        },
        "description": {
            "en": "Measures made from policy records; how hard each bites, and why, is in its note.",
            "ko": "정책 기록으로 만든 조치이며, 각 조치의 강도와 그 근거는 비고에 적혀 있다.",
        },
        "form": form,
        "focal": focal,
        "base_year": base_year if base_year is not None else int(start[:4]) - 1,
        "start": start,
        "months": months,
        "measures": acts,
        "tags": ["policy-records"],
        "sources": [{"title": "policy record", "reference": url} for url in urls],
    }
    return scenario_from(plain, where=f"scenario {name}")
