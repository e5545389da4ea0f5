"""What an operator may have meant: the nearest known word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LIST_MAX: Final = 12
_CUTOFF: Final = 0.6


def find_near(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that looks most like this one."""
    words = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), words, n=1, cutoff=_CUTOFF)
    return words[near[0]] if near else None


def suggest(word: str, known: Iterable[str]) -> str:
    """Write the end of a sentence that helps: `, did you mean x?`, or the list when it is short, or nothing."""
    words = sorted(set(known))
    near = find_near(word, words)
    if near is not None:
        return f", did you mean {near}?"
    if words and len(words) <= _LIST_MAX:
        return f"; known: {', '.join(words)}"
    return ""
