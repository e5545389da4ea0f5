"""A message as flat JSON, for people and scripts: masked unless it is asked for otherwise.

`{"mti": "0200", "fields": {"3": "000000", "52": {"hex": "..."}, "55.9F26": {"hex": "..."}}}`. Text is a string,
binary an object with its bytes in upper-case hexadecimal. A composite is one key a part, in the order of the
wire. In DE55 the second object of a tag is `55.9F26#2`; an object whose length is not in its shortest form says
its length octets (`{"hex": "80", "length_hex": "8101"}`), and a zero byte between objects is `55.00`, so that
nothing is lost on the way back. Chip data without any object is `{"55": {"hex": ""}}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from ..faults import DecodeFault, EncodeFault
from ..masking import mask_pan
from .emv import SHOWN_TAGS
from .message import Message, Value
from .spec import Element, Sensitivity, Spec
from .tlv import FILLER_TAG, Tlv, TlvEntry, is_tag, length_octets


def _star(text: str) -> str:
    return "*" * len(text)


def _show(text: str) -> str:
    return text


_MASKS: Final[Mapping[Sensitivity, Callable[[str], str]]] = MappingProxyType(
    {Sensitivity.OPEN: _show, Sensitivity.PAN: mask_pan}
)
"""How a text of each sensitivity is shown; what has no row is starred."""


def to_flat(spec: Spec, message: Message, unmask: bool = False) -> dict[str, Any]:
    """Give the flat form of a message. With `unmask` it holds card data; else each element is masked by its
    sensitivity, and one that the spec does not know is starred whole."""
    fields: dict[str, Any] = {}
    for de, value in message.fields.items():
        element = spec.elements.get(de)
        mask = _show if unmask else _mask_of(element)
        if isinstance(value, Tlv):
            fields.update(_tlv_to_flat(de, value, unmask))
        elif isinstance(value, bytes):
            fields[str(de)] = {"hex": mask(value.hex().upper())}
        else:
            fields[str(de)] = mask(value)
    return {"mti": message.mti, "fields": fields}


def _mask_of(element: Element | None) -> Callable[[str], str]:
    return _star if element is None else _MASKS.get(element.sensitivity, _star)


def _tlv_to_flat(de: int, tlv: Tlv, unmask: bool) -> dict[str, Any]:
    if not tlv.entries:
        return {str(de): {"hex": ""}}
    flat: dict[str, Any] = {}
    seen: Counter[str] = Counter()
    for entry in tlv.entries:
        seen[entry.tag] += 1
        ordinal = f"#{seen[entry.tag]}" if seen[entry.tag] > 1 else ""
        mask = _show if unmask or entry.tag in SHOWN_TAGS else _star
        shown = {"hex": mask(entry.value.hex().upper())}
        if entry.tag != FILLER_TAG and entry.length_octets != length_octets(len(entry.value)):
            shown["length_hex"] = entry.length_octets.hex().upper()
        flat[f"{de}.{entry.tag}{ordinal}"] = shown
    return flat


def from_flat(spec: Spec, flat: object) -> Message:
    """Read the flat form; EncodeFault with the key where it is wrong. Contents are left to the encoder."""
    if not isinstance(flat, dict):
        raise EncodeFault("message", "is not an object")
    for key in flat:
        if key not in ("mti", "fields"):
            raise EncodeFault("message", "has a key that is neither mti nor fields")
    mti, keyed = flat.get("mti"), flat.get("fields")
    if not isinstance(mti, str):
        raise EncodeFault("mti", "is not text")
    if not isinstance(keyed, dict):
        raise EncodeFault("fields", "is not an object")
    fields: dict[int, Value] = {}
    parts: dict[int, list[TlvEntry]] = {}
    for key, value in keyed.items():
        element, tag = _find_place(spec, key)
        if tag:
            parts.setdefault(element.de, []).append(_read_entry(key, tag, value))
        else:
            fields[element.de] = _read_value(key, element, value)
    for de, entries in parts.items():
        if de in fields:
            raise EncodeFault(str(de), "is given whole and in parts")
        fields[de] = _make_tlv(str(de), b"".join(entry.octets for entry in entries))
    return Message(mti, fields)


def _find_place(spec: Spec, key: object) -> tuple[Element, str]:
    """Give the element that a key names, and the tag within it or ""."""
    text = key if isinstance(key, str) else ""
    head, dot, tail = text.partition(".")
    is_number = head.isascii() and head.isdigit() and str(int(head[:4])) == head
    element = spec.elements.get(int(head)) if is_number else None
    if element is None:
        raise EncodeFault(head if is_number else "fields", "the spec has no such element")
    if dot and element.parts is None:
        raise EncodeFault(head, "has no parts")
    tag, hash_sign, ordinal = tail.partition("#")
    if dot and (not is_tag(tag) or (hash_sign and not (ordinal.isascii() and ordinal.isdigit()))):
        raise EncodeFault(head, "has a key that is not a tag in upper-case hexadecimal")
    return element, tag


def _read_value(key: str, element: Element, value: object) -> Value:
    if element.encoding.holds == "bytes":
        content = _read_hex(key, value)
        return content if element.parts is None else _make_tlv(key, content)
    if not isinstance(value, str):
        raise EncodeFault(key, "is not text")
    return value


def _read_hex(key: str, value: object, name: str = "hex") -> bytes:
    text = value.get(name) if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise EncodeFault(key, f'is not an object with "{name}"')
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EncodeFault(key, f'"{name}" is not hexadecimal') from None


def _read_entry(key: str, tag: str, value: object) -> TlvEntry:
    content = _read_hex(key, value)
    octets = b"" if tag == FILLER_TAG else length_octets(len(content))
    if isinstance(value, dict) and "length_hex" in value:
        octets = _read_hex(key, value, "length_hex")
    entry = TlvEntry(tag, octets, content)
    if _make_tlv(key.partition(".")[0], entry.octets).entries != (entry,):
        raise EncodeFault(key, "its length is not that of its value")
    return entry


def _make_tlv(key: str, content: bytes) -> Tlv:
    try:
        return Tlv(content)
    except DecodeFault as fault:
        raise EncodeFault(f"{key}.{fault.path}" if fault.path else key, fault.why) from None
