"""What must hold between settings: names are unique, references are known, and limits agree with each other.

Every check reads whole settings and gives its faults; the checks are a table, and their order is the order in which
mistakes are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from .bounds import FORMS
from .faults import SettingsFault as Fault
from .settings import DiallerSettings, InstitutionSettings, ListenerSettings, Protocol, Settings
from .suggest import suggest

LEDGER: Final = "ledger"
"""The destination that is our own books, and so no name for an institution."""

FRAMINGS: Final = {
    Protocol.ISO8583: ("length2", "ascii4", "bcd2-tpdu", "length4"),
    Protocol.FIN: ("length4", "fin"),
}
"""How messages of a protocol may be cut from the stream of bytes."""

SPECS: Final = ("iso1987-ascii", "iso1987-binary")
"""The ISO 8583 specs that come with the switch; any other is the path of a `.toml` file."""

_AT_LEAST: Final = (
    ("deliveries", "backoff_max_s", "backoff_initial_s"),
    ("database", "queue_items_max", "batch_items_max"),
    ("links", "write_bytes_max", "frame_bytes_max"),
)
"""Section, key, and the key of the same section that it may not be less than."""


def find_faults(settings: Settings) -> Iterator[Fault]:
    """Give every mistake that shows only when settings are read together."""
    for check in CHECKS:
        yield from check(settings)


def _unique(items: Iterable[tuple[str, str]], what: str) -> Iterator[Fault]:
    """Refuse a value that stands at two places; items are (path, value), and an empty value is none."""
    first: dict[str, str] = {}
    for path, value in items:
        if not value:
            continue
        if value in first:
            yield Fault(path, f"{what} {value!r} is already that of {first[value]}")
        first.setdefault(value, path)


def _each(name: str, items: Iterable[object], key: str) -> Iterator[tuple[str, str]]:
    """Give the path and value of one key of each item, or of each text in it when it is a list."""
    for index, item in enumerate(items):
        place, value = f"{name}[{index}].{key}", getattr(item, key)
        if isinstance(value, tuple):
            yield from ((f"{place}[{number}]", each) for number, each in enumerate(value))
        else:
            yield place, value or ""


def _names(settings: Settings) -> Iterator[Fault]:
    form = FORMS[InstitutionSettings, "id"]
    for name, _ in settings.tls:
        if (why := form.find_fault(name)) is not None:
            yield Fault(f"tls.{name}", f"the name {why}")
    for index, institution in enumerate(settings.institutions):
        if institution.id == LEDGER:
            yield Fault(f"institutions[{index}].id", "ledger is the destination of our own books")
    yield from _unique(_each("institutions", settings.institutions, "id"), "the id")
    links = [*_each("listeners", settings.listeners, "name"), *_each("diallers", settings.diallers, "name")]
    yield from _unique(links, "the name")
    yield from _unique(_each("routing.routes", settings.routing.routes, "name"), "the name")


_SECRET: Final = frozenset({2, 14, 34, 35, 36, 45, 52, 55})
"""Elements of which not even a hash without a key may be stored: whoever has it tries all card numbers."""


def _whose(settings: Settings) -> Iterator[Fault]:
    """One certificate or BIC speaks for one institution only."""
    institutions = settings.institutions
    bics = [("switch.bic", settings.switch.bic), *_each("institutions", institutions, "bic")]
    yield from _unique([(path, bic + "XXX" if len(bic) == 8 else bic) for path, bic in bics], "the BIC")
    yield from _unique(_each("institutions", institutions, "pins"), "the pin")
    yield from _unique(_each("institutions", institutions, "subjects"), "the subject")
    for index, institution in enumerate(institutions):
        for key in ("currencies", "identity"):
            values = getattr(institution, key)
            if len(set(values)) < len(values):
                yield Fault(f"institutions[{index}].{key}", "names something twice")
            if not values:
                yield Fault(f"institutions[{index}].{key}", "must not be empty")
        if not _SECRET.isdisjoint(institution.identity):
            yield Fault(f"institutions[{index}].identity", "must not name what may not be stored, as a card number")


def _known(path: str, value: str | None, known: Iterable[str], what: str) -> Iterator[Fault]:
    names = tuple(known)
    if value and value not in names:
        yield Fault(path, f"no {what} {value!r}{suggest(value, names)}")


def _links(settings: Settings) -> Iterator[Fault]:
    ids = [institution.id for institution in settings.institutions]
    tls = [name for name, _ in settings.tls]
    links: list[tuple[str, ListenerSettings | DiallerSettings]] = [
        *((f"listeners[{index}]", door) for index, door in enumerate(settings.listeners)),
        *((f"diallers[{index}]", dialler) for index, dialler in enumerate(settings.diallers)),
    ]
    for path, link in links:
        yield from _known(f"{path}.institution", link.institution, ids, "institution")
        yield from _known(f"{path}.tls", link.tls, tls, "[tls] of the name")
        framings = FRAMINGS[link.protocol]
        if link.framing not in framings:
            what = f"{link.framing!r} does not carry {link.protocol.value}"
            yield Fault(f"{path}.framing", what + suggest(link.framing, framings))
        if link.spec not in SPECS and not link.spec.endswith(".toml"):
            what = f"no spec {link.spec!r} comes with the switch{suggest(link.spec, SPECS)}"
            yield Fault(f"{path}.spec", f"{what} (a spec of your own is the path of a .toml file)")


def _security(settings: Settings) -> Iterator[Fault]:
    for index, door in enumerate(settings.listeners):
        if door.tls is None and door.institution is None:
            yield Fault(f"listeners[{index}]", "without tls it needs institution: nothing else tells who dials")
        if door.listen.startswith("unix:") and door.tls is not None:
            yield Fault(f"listeners[{index}].tls", "a UNIX socket is a plain door: leave tls out")
    for index, dialler in enumerate(settings.diallers):
        if dialler.tls is None and not dialler.plain:
            yield Fault(f"diallers[{index}]", "needs tls; plain = true dials without it")
        if dialler.tls is not None and dialler.plain:
            yield Fault(f"diallers[{index}].plain", "contradicts tls: give one of the two")
        if dialler.reconnect_max_s < dialler.reconnect_initial_s:
            yield Fault(f"diallers[{index}].reconnect_max_s", "must be at least reconnect_initial_s")
    doors = [("admin.listen", settings.admin.listen), *_each("listeners", settings.listeners, "listen")]
    yield from _unique([(path, door) for path, door in doors if not door.startswith("tcp:0")], "the endpoint")


def _roads(settings: Settings) -> Iterator[Fault]:
    ids = [institution.id for institution in settings.institutions]
    routing = settings.routing
    ways = [("routing.default", routing.default)]
    ways += [(f"routing.routes[{index}].to", row.to) for index, row in enumerate(routing.routes)]
    for path, to in ways:
        for destination in to:
            yield from _known(path, destination, [LEDGER, *ids], "institution")
        if len(set(to)) < len(to):
            yield Fault(path, "names a destination twice")
        if LEDGER in to[:-1]:
            yield Fault(path, "what stands after ledger is never chosen: our own books are always there")
    for index, row in enumerate(routing.routes):
        for number, source in enumerate(row.institutions):
            yield from _known(f"routing.routes[{index}].institutions[{number}]", source, ids, "institution")
    for number, partner in enumerate(settings.settlement.cutover_by):
        yield from _known(f"settlement.cutover_by[{number}]", partner, ids, "institution")


def _amounts(settings: Settings) -> Iterator[Fault]:
    for section, key, least in _AT_LEAST:
        group = getattr(settings, section)
        if getattr(group, key) < getattr(group, least):
            yield Fault(f"{section}.{key}", f"must be at least {section}.{least}")
    for index, row in enumerate(settings.routing.routes):
        low, high = row.amount_minor_min, row.amount_minor_max
        if low is not None and high is not None and low > high:
            yield Fault(f"routing.routes[{index}].amount_minor_max", "must be at least amount_minor_min")
        for number, bin_ in enumerate(row.bins):
            first, dash, last = bin_.partition("-")
            if dash and (len(first) != len(last) or first > last):
                why = "the ends of a range have the same length, the smaller first"
                yield Fault(f"routing.routes[{index}].bins[{number}]", why)


def _fees(settings: Settings) -> Iterator[Fault]:
    yield from _unique(_each("fees", settings.fees, "name"), "the name")
    ids = [institution.id for institution in settings.institutions]
    for index, fee in enumerate(settings.fees):
        for number, source in enumerate(fee.institutions):
            yield from _known(f"fees[{index}].institutions[{number}]", source, ids, "institution")
        if fee.maximum_minor is not None and fee.maximum_minor < fee.minimum_minor:
            yield Fault(f"fees[{index}].maximum_minor", "must be at least minimum_minor")
        if any(it.account == fee.account and it.currency != fee.currency for it in settings.fees if fee.account):
            yield Fault(f"fees[{index}].account", "is that of a fee in another currency")


def _rates(settings: Settings) -> Iterator[Fault]:
    for index, row in enumerate(settings.rates):
        if row.payment and row.payment == row.account:
            yield Fault(f"rates[{index}].account", "is the payment's currency")
        if row.rate and not row.rate.strip("0."):
            yield Fault(f"rates[{index}].rate", "must be more than zero")
    pairs = [(f"rates[{index}]", f"{row.payment} to {row.account}") for index, row in enumerate(settings.rates)]
    yield from _unique(pairs, "the rate of")


CHECKS: Final[tuple[Callable[[Settings], Iterator[Fault]], ...]] = (
    _names,
    _whose,
    _links,
    _security,
    _roads,
    _amounts,
    _fees,
    _rates,
)
