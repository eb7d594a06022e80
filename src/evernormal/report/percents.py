"""Shares as people read them: whole per cents, and the interval only where it is wide."""

from __future__ import annotations

from evernormal.report.language import Language

__all__ = ["spanned", "whole_percent"]

_WIDE = 0.01


def whole_percent(words: Language, share: float | None) -> str:
    """Return a fraction as whole per cents; what is less than half of one and not nothing says so.

    >>> from evernormal.report.language import language
    >>> [whole_percent(language("ko"), s) for s in (0.994, 0.001, 0.0, None)]
    ['99%', '1% 미만', '0%', '미상']
    """
    if share is not None and 0 < share < 0.005:
        return words.text("visual.less_than_one")
    return words.percent(None if share is None else round(share, 2), digits=0)


def spanned(words: Language, share: float | None, low: float | None, high: float | None) -> str:
    """Return a share with its interval; an interval of less than a per cent to both sides is left out.

    >>> from evernormal.report.language import language
    >>> spanned(language("ko"), 0.64, 0.06, 0.65)
    '64%(6~65)'
    """
    text = whole_percent(words, share)
    if share is None or low is None or high is None or max(share - low, high - share) < _WIDE:
        return text
    return words.text("visual.spanned", share=text, low=f"{100 * low:.0f}", high=f"{100 * high:.0f}")
