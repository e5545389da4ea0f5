"""The fields: what each tag holds, in the notation of the manual, and which of its parts people may see.

A row is all there is to a field. Parts that are not listed as shown hold accounts, names or free text and are
starred wherever a message is shown; a tag without a row is starred whole. The formats are those of SR 2025.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ..faults import EncodeFault
from .mismatch import Mismatch, find_mismatch
from .notation import Notation, Parts, compile_notation
from .text import Field

_BIC: Final = "(4!a2!a2!c[3!c])"
_MIR: Final = "(6!n12!c4!n6!n)"


@attrs.frozen
class FieldFormat:
    """One field: its tag, its title, and the notations that its value may follow, tried in order."""

    tag: str
    title: str
    alternatives: tuple[Notation, ...]
    shown: frozenset[str]

    def find_parts(self, value: str) -> Parts | None:
        """Read a value into its named parts; None when it follows no notation of the field."""
        for notation in self.alternatives:
            parts = notation.find_parts(value)
            if parts is not None:
                return parts
        return None

    def find_mismatch(self, value: str) -> Mismatch | None:
        """Find where a value leaves the format: in the notation that it follows furthest."""
        if self.find_parts(value) is not None:
            return None
        found = [mismatch for notation in self.alternatives if (mismatch := find_mismatch(notation, value))]
        return max(found, key=lambda mismatch: mismatch.offset)

    def write(self, parts: Parts) -> str:
        """Write a value from its parts, in the notation that has them all; EncodeFault names the part."""
        fitting = [notation for notation in self.alternatives if set(parts) <= set(notation.names)]
        if not fitting:
            raise EncodeFault(self.tag, "no notation of the field has these parts")
        return fitting[0].write(parts)


def _row(tag: str, title: str, *formats: str, shown: str = "") -> FieldFormat:
    """Make a field from notations and names, two texts for each alternative; `shown` names parts, `*` all."""
    alternatives = tuple(
        compile_notation(notation, names) for notation, names in zip(formats[::2], formats[1::2], strict=True)
    )
    names = frozenset(name for notation in alternatives for name in notation.names)
    visible = names if shown == "*" else frozenset(shown.split())
    assert visible <= names, f"{tag} shows a part it does not have"
    return FieldFormat(tag, title, alternatives, visible)


_AGENT_FORMATS: Final = {
    "A": (f"[/1!a][/34x]${_BIC}", "side account bic", "side bic"),
    "B": ("[/1!a][/34x]$[35x]", "side account location", "side"),
    "C": ("/34x", "account", ""),
    "D": ("[/1!a][/34x]$4*35x", "side account lines", "side"),
}
_AGENTS: Final = (
    ("51", "Sending institution", "A"),
    ("52", "Ordering institution", "AD"),
    ("53", "Sender's correspondent", "ABD"),
    ("54", "Receiver's correspondent", "ABD"),
    ("55", "Third reimbursement institution", "ABD"),
    ("56", "Intermediary institution", "ACD"),
    ("57", "Account with institution", "ABCD"),
)


def _agents() -> Iterable[FieldFormat]:
    for number, title, options in _AGENTS:
        for option in options:
            notation, names, shown = _AGENT_FORMATS[option]
            yield _row(number + option, title, notation, names, shown=shown)


_NUMBERED: Final = "4*(1!n/33x)"

_TEXT_ROWS: Final = (
    _row("20", "Sender's reference", "16x", "reference", shown="*"),
    _row("13C", "Time indication", "/8c/4!n1!x4!n", "code time sign offset", shown="*"),
    _row("23B", "Bank operation code", "4!c", "code", shown="*"),
    _row("23E", "Instruction code", "4!c[/30x]", "code text", shown="code"),
    _row("26T", "Transaction type code", "3!c", "code", shown="*"),
    _row("32A", "Value date, currency, interbank settled amount", "6!n3!a15d", "date currency amount", shown="*"),
    _row("33B", "Currency, instructed amount", "3!a15d", "currency amount", shown="*"),
    _row("36", "Exchange rate", "12d", "rate", shown="*"),
    _row("50A", "Ordering customer", f"[/34x]${_BIC}", "account bic", shown="bic"),
    _row(
        "50F",
        "Ordering customer",
        f"/34x${_NUMBERED}",
        "account lines",
        f"4!a/2!a/27x${_NUMBERED}",
        "code country identifier lines",
        shown="code country",
    ),
    _row("50K", "Ordering customer", "[/34x]$4*35x", "account lines"),
    *_agents(),
    _row("59", "Beneficiary customer", "[/34x]$4*35x", "account lines"),
    _row("59A", "Beneficiary customer", f"[/34x]${_BIC}", "account bic", shown="bic"),
    _row("59F", "Beneficiary customer", f"[/34x]${_NUMBERED}", "account lines"),
    _row("70", "Remittance information", "4*35x", "lines"),
    _row("71A", "Details of charges", "3!a", "code", shown="*"),
    _row("71F", "Sender's charges", "3!a15d", "currency amount", shown="*"),
    _row("71G", "Receiver's charges", "3!a15d", "currency amount", shown="*"),
    _row("72", "Sender to receiver information", "6*35x", "lines"),
    _row("77B", "Regulatory reporting", "3*35x", "lines"),
)

_HEADER_ROWS: Final = (
    _row("103", "Service identifier", "3!a", "code", shown="*"),
    _row("113", "Banking priority", "4!x", "priority", shown="*"),
    _row("108", "Message user reference", "16x", "reference", shown="*"),
    _row("119", "Validation flag", "8c", "flag", shown="*"),
    _row("423", "Balance checkpoint", "6!n6!n[2!n]", "date time hundredths", shown="*"),
    _row("106", "Message input reference", _MIR, "mir", shown="*"),
    _row("424", "Related reference", "16x", "reference", shown="*"),
    _row("111", "Service type identifier", "3!n", "type", shown="*"),
    _row("121", "Unique end-to-end transaction reference", "36!x", "uetr", shown="*"),
    _row("115", "Addressee information", "32x", "text"),
    _row("165", "Payment release information", "/3!c/34x", "code text", shown="code"),
    _row("433", "Sanctions screening", "/3!a/[20x]", "code text", shown="code"),
    _row("434", "Payment controls", "/3!a/[20x]", "code text", shown="code"),
)
"""In the order in which a user header carries them."""

_SERVICE_ROWS: Final = (
    _row("177", "Date and time", "6!n4!n", "date time", shown="*"),
    _row("451", "Accepted (0) or rejected (1)", "1!n", "verdict", shown="*"),
    _row("405", "Reason of the rejection and line", "3!c[3!n]", "code line", shown="*"),
    _row("108", "Message user reference", "16x", "reference", shown="*"),
)

_TRAILER_ROWS: Final = (
    _row("CHK", "Checksum", "12!h", "checksum", shown="*"),
    _row("MAC", "Authentication code", "8!h", "code", shown="*"),
    _row("TNG", "Training message", "", "", shown="*"),
    _row("PDE", "Possible duplicate emission", f"[4!n{_MIR}]", "time mir", shown="*"),
    _row("PDM", "Possible duplicate delivery", f"[4!n{_MIR}]", "time mor", shown="*"),
    _row("DLM", "Delayed message", "", "", shown="*"),
    _row("MRF", "Message reference", f"6!n4!n{_MIR}", "date time mir", shown="*"),
    _row("SYS", "Originated by the system", f"[4!n{_MIR}]", "time mir", shown="*"),
)


def _table(rows: Iterable[FieldFormat]) -> Mapping[str, FieldFormat]:
    return MappingProxyType({row.tag: row for row in rows})


FIELDS: Final = _table(_TEXT_ROWS)
"""The fields of user messages (block 4) by tag."""
HEADER_FIELDS: Final = _table(_HEADER_ROWS)
"""The tags of the user header (block 3), in their order."""
SERVICE_FIELDS: Final = _table(_SERVICE_ROWS)
"""The tags of acknowledgements (block 4 of service messages)."""
TRAILER_FIELDS: Final = _table(_TRAILER_ROWS)
"""The trailers (block 5)."""


def find_parts(field: Field) -> Parts | None:
    """Read a field of the text into its named parts; None when the tag has no row or the value another format."""
    row = FIELDS.get(field.tag)
    return None if row is None else row.find_parts(field.value)


def write_field(tag: str, parts: Parts) -> tuple[str, str]:
    """Compose a field of the text from its named parts: tag and value, as `new_message` takes them."""
    row = FIELDS.get(tag)
    if row is None:
        raise EncodeFault(tag, "the tag has no format")
    return tag, row.write(parts)
