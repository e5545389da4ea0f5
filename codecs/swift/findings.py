"""What is wrong with a message: a code of the network, the place, and a sentence that quotes nothing.

Codes of the network are three characters (405 of a NAK). Which code a given mistake earns is only partly public;
where the public sources leave a choice, the choice is a row of the tables here and no code depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from .mismatch import Deviation


@attrs.frozen
class Finding:
    """One mistake: network code, line of the text (None for headers), tag, component, sentence."""

    code: str
    line: int | None
    tag: str | None
    component: str | None
    text: str

    def __str__(self) -> str:
        place = ["" if self.line is None else f"line {self.line}", self.tag or "", self.component or ""]
        where = " ".join(part for part in place if part)
        return f"{self.code} {where}: {self.text}" if where else f"{self.code}: {self.text}"


CODE_OF_DEVIATION: Final[Mapping[Deviation, str]] = {
    Deviation.MISSING: "T12",
    Deviation.CHARACTER: "T12",
    Deviation.TOO_SHORT: "T34",
    Deviation.TOO_LONG: "T33",
    Deviation.SEPARATOR: "T31",
    Deviation.TOO_MANY_LINES: "T30",
    Deviation.COMMA: "T43",
    Deviation.NO_DIGIT: "T40",
    Deviation.CONTENT: "T12",
}
"""The code for a value that leaves its format; T12 is the network's word for any error of content."""

CODE_OF_COMPONENT: Final[Mapping[tuple[str, str], str]] = {
    ("", "bic"): "T29",
    ("", "date"): "T50",
    ("", "currency"): "T52",
    ("50F", "account"): "T54",
    ("50F", "code"): "T54",
    ("50F", "country"): "T54",
    ("50F", "identifier"): "T54",
    ("50F", "lines"): "T56",
    ("59F", "lines"): "T56",
}
"""Components whose format has a code of its own: of one tag, or of any (an empty tag). Lengths keep theirs."""

CODE_OF_LENGTH: Final = frozenset({Deviation.TOO_SHORT, Deviation.TOO_LONG, Deviation.TOO_MANY_LINES})

CODE_OF_USER_HEADER: Final = "U03"
"""For every mistake in block 3: the codes of its tags are not public, but for that of the validation flag."""


def code_for(tag: str, component: str | None, deviation: Deviation) -> str:
    """Give the code of a value of a tag that leaves its format in a component."""
    if component is not None:
        own = CODE_OF_COMPONENT.get((tag, component))
        if own is None and deviation not in CODE_OF_LENGTH:
            own = CODE_OF_COMPONENT.get(("", component))
        if own is not None:
            return own
    return CODE_OF_DEVIATION[deviation]
