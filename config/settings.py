"""The switch's settings as typed, frozen values with their defaults.

One TOML file becomes one `Settings`; `load` says how. Times are seconds (`_s`) or milliseconds (`_ms`), sizes bytes,
amounts minor units. A secret is never a value here, only the path of the file that holds it.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import attrs


class Protocol(Enum):
    """What is spoken on a link."""

    ISO8583 = "iso8583"
    FIN = "fin"


class SignOn(Enum):
    """Who signs on (0800 with DE70 001) before traffic flows on a link."""

    NONE = "none"
    WE = "we"
    THEY = "they"
    BOTH = "both"


class KekSource(Enum):
    """Where the key-encryption key comes from."""

    FILE = "file"
    CREDENTIAL = "credential"
    PKCS11 = "pkcs11"


@attrs.frozen
class SwitchSettings:
    """Who we are."""

    name: str = "junctor"
    bic: str = "JUNCDEFFXXX"
    """Our BIC, 8 or 11 characters: a FIN message to it is for an account in our own books."""
    lt_code: str = "A"
    """The ninth character of our logical terminal's address when we send (SWIFT: never X)."""
    acquirer_id: str = "00000000001"
    """DE32 that we put on messages which we originate, when the original has none."""
    drain_s: float = 10.0
    """How long a stop waits for what is in hand."""


@attrs.frozen
class DatabaseSettings:
    url: str = "sqlite:///junctor.db"
    """`sqlite:///PATH` (from the file's folder on) or `postgresql://...`; a password goes to password_file."""
    password_file: Path | None = None
    connect_timeout_s: float = 3.0
    statement_timeout_s: float = 5.0
    batch_items_max: int = 256
    """The most items in one database transaction."""
    queue_items_max: int = 20_000
    """The most items waiting for the writer; one more is answered as if the database were gone."""
    linger_ms: float = 2.0
    """How long a small batch waits for company."""
    linger_above_per_second: float = 500.0
    """Below this rate of items nothing lingers."""


@attrs.frozen
class KeySettings:
    """Where the key-encryption key is, under which the database keeps the keys that protect card data."""

    kek: KekSource = KekSource.FILE
    kek_file: Path = Path("keys/kek.key")
    """For `file`: 32 bytes in hex, readable by the owner alone; after a rotation the keys before it, a line each."""
    kek_credential: str = "junctor-kek"
    """For `credential`: its name; it has the form of the file."""
    pkcs11_module: Path = Path("/usr/lib/softhsm/libsofthsm2.so")
    """For `pkcs11`: the library of the token's maker."""
    pkcs11_token: str = "junctor"
    """The token's label."""
    pkcs11_labels: tuple[str, ...] = ("junctor-kek",)
    """The labels of its keys, the one in use first."""
    pkcs11_pin_file: Path = Path("keys/pkcs11-pin")
    """The user PIN of the token, in a file that its owner alone may read."""
    data_key_file: Path = Path("keys/data.key")
    card_hash_key_file: Path = Path("keys/card-hash.key")
    """Key files of versions without a key-encryption key: taken over into the database the first time."""


@attrs.frozen
class RetentionSettings:
    """How long what is kept of people stays; payments, entries and totals stay for good."""

    personal_days: int | None = None
    """Days after which `junctor ledger purge` removes a message's card and response, and a closed account's name."""


@attrs.frozen
class AdminSettings:
    listen: str = "tcp:9583:interface=127.0.0.1"
    """Where /metrics, /livez, /readyz and /links are served."""


@attrs.frozen
class LoggingSettings:
    level: str = "info"
    format: str = "auto"
    """`json`, `text`, or `auto`: text on a terminal, JSON lines elsewhere."""


@attrs.frozen
class LinkLimits:
    """What one connection may take; every limit ends the connection or stops reading it."""

    frame_bytes_max: int = 16_384
    links_per_institution_max: int = 2_048
    handshake_s: float = 10.0
    """From accept or connect to a finished TLS handshake (and, where we wait for it, sign-on)."""
    frame_s: float = 10.0
    """Between the first and the last byte of a frame."""
    idle_s: float = 600.0
    """Without a byte from the peer."""
    in_hand_max: int = 256
    """Requests of one link that wait for their answer; beyond it the socket is not read."""
    write_bytes_max: int = 4_194_304
    """Bytes that wait to be written because the peer does not read; beyond it the link is dropped."""
    write_stall_s: float = 30.0
    """How long a peer may not read what we write; then the link is dropped."""
    in_flight_max: int = 4_096
    """Requests of ours on one link that wait for the peer's answer."""
    faults_in_row_max: int = 10
    """Undecodable messages without a good one between them; one more ends the connection."""
    handshakes_max: int = 1_024
    """Connections of one listener that are not yet known to be an institution's; one more is refused."""
    close_s: float = 5.0
    """From signing off or closing a connection until it is cut."""


@attrs.frozen
class RequestSettings:
    """How long things may take, and what is answered when they take longer."""

    response_timeout_s: float = 20.0
    """From sending a request to a peer until it counts as silence."""
    hold_expiry_s: float = 7 * 86_400.0
    """How long an authorised amount stays set aside."""
    partial_completion_conditions: tuple[str, ...] = ()
    """Values of DE25 in a completion that say that more will follow: the rest of the hold stays."""
    sweep_interval_s: float = 1.0
    sweep_items_max: int = 256
    code_timeout: str = "91"
    code_no_link: str = "91"
    code_no_route: str = "92"
    code_unavailable: str = "91"


@attrs.frozen
class SettlementSettings:
    """When a business day ends."""

    cutover: str | None = None
    """Time of day (HH:MM, UTC) at which the open day is closed and the next one opened; none: not by the clock."""
    cutover_by: tuple[str, ...] = ()
    """Institutions whose cutover message (0800 with DE70 201) closes the open day."""


@attrs.frozen
class DeliverySettings:
    """The retry queue."""

    ack_timeout_s: float = 20.0
    backoff_initial_s: float = 0.5
    backoff_factor: float = 2.0
    backoff_max_s: float = 60.0
    backoff_jitter: float = 0.5
    """Share of each wait that is random, 0 to 1."""
    attempts_max: int = 20
    age_max_s: float = 3 * 86_400.0
    poll_s: float = 1.0
    accept_codes: tuple[str, ...] = ("00", "21", "25", "94")
    """Response codes to an advice or reversal that mean: it has arrived (done, nothing to do, known already)."""
    retry_codes: tuple[str, ...] = ("91", "96", "68")
    """Response codes that mean: try again later. Any other code ends among the dead letters."""


@attrs.frozen
class TlsSettings:
    """One identity of ours, and whom it trusts."""

    certificate_file: Path
    key_file: Path
    ca_file: Path
    crl_file: Path | None = None


@attrs.frozen
class InstitutionSettings:
    """A party with a contract."""

    id: str
    name: str = ""
    bic: str | None = None
    pins: tuple[str, ...] = ()
    """SHA-256 of the public key (SPKI) of certificates that speak for it, in hex."""
    subjects: tuple[str, ...] = ()
    """Common names of certificates that speak for it, where no pin is given."""
    acquirer_ids: tuple[str, ...] = ()
    """DE32 values it may send; empty: any."""
    currencies: tuple[str, ...] = ("EUR",)
    """Currencies in which it has a settlement account here, named `<id>.settlement.<currency>`."""
    net_debit_cap_minor: int | None = None
    """How far its settlement accounts may go below zero; none: no limit."""
    net_debit_cap_warning_percent: int = 80
    """Use of the cap from which on a warning is logged."""
    identity: tuple[int, ...] = (7, 11, 32, 41, 37)
    """The elements that, with institution and MTI class, identify a message."""


@attrs.frozen
class ListenerSettings:
    """A door that peers dial."""

    name: str
    listen: str
    """A Twisted server endpoint without TLS: `tcp:8583:interface=127.0.0.1`; TLS is said by `tls`."""
    protocol: Protocol = Protocol.ISO8583
    tls: str | None = None
    """Name of a `[tls.NAME]`; none is a plain door, which needs `institution`."""
    institution: str | None = None
    """For a plain door: whose it is. For a TLS door: the only one allowed."""
    spec: str = "iso1987-ascii"
    framing: str = "length2"
    sign_on: SignOn = SignOn.NONE


@attrs.frozen
class DiallerSettings:
    """A link that we dial."""

    name: str
    institution: str
    host: str
    port: int
    protocol: Protocol = Protocol.ISO8583
    tls: str | None = None
    server_name: str | None = None
    """The name that the peer's certificate must carry; default: host."""
    plain: bool = False
    """True allows a dialled link without TLS."""
    spec: str = "iso1987-ascii"
    framing: str = "length2"
    sign_on: SignOn = SignOn.WE
    echo_interval_s: float = 60.0
    reconnect_initial_s: float = 0.5
    reconnect_max_s: float = 30.0


@attrs.frozen
class RouteSettings:
    """One row of the route table: every condition given must hold; the first row that matches decides."""

    name: str
    to: tuple[str, ...]
    """`ledger`, an institution, or several in order of preference. Empty list: nowhere (answered 92)."""
    bins: tuple[str, ...] = ()
    """Prefixes (`476173`) or ranges (`476100-476199`) of the card number."""
    institutions: tuple[str, ...] = ()
    processing_codes: tuple[str, ...] = ()
    """First two digits of DE3, or all six."""
    types: tuple[str, ...] = ()
    """`0200` is the whole class (0200, 0220); other MTIs (`0220`) and MT numbers (`103`) are themselves alone."""
    currencies: tuple[str, ...] = ()
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    bics: tuple[str, ...] = ()
    """Receiver BICs or prefixes of them."""
    overrides: bool = False
    """True: said on purpose that this row decides before later rows which it overlaps in part."""


class FeePayer(Enum):
    """Who pays a fee."""

    ACCOUNT = "account"
    INSTITUTION = "institution"


@attrs.frozen
class FeeSettings:
    """One row of the fee table: what a payment costs for which every condition given holds; all such rows add up."""

    name: str
    currency: str
    """The fee's and the payment's."""
    institutions: tuple[str, ...] = ()
    """Who sends the payment; none: anyone."""
    processing_codes: tuple[str, ...] = ()
    """First two digits of DE3, or all six; none: any."""
    fixed_minor: int = 0
    per_mille: int = 0
    """Of the payment's amount, rounded half up to a minor unit, added to the fixed part."""
    minimum_minor: int = 0
    maximum_minor: int | None = None
    payer: FeePayer = FeePayer.ACCOUNT
    """`account`: the customer's, on our own books. `institution`: the sender's settlement account."""
    account: str | None = None
    """Where the fee goes; default: `fees.<currency>`. Its code has a dot, so that no peer can name it."""


@attrs.frozen
class RateSettings:
    """What a payment in one currency costs an account in another."""

    payment: str
    account: str
    rate: str
    """Units of the account's currency for one of the payment's, as decimal text: "0.9215"."""
    spread_per_mille: int = 0
    """What the account pays above the rate, or gains below it."""


@attrs.frozen
class RoutingSettings:
    default: tuple[str, ...]
    """Where a payment goes that no row matches; mandatory. Empty list: nowhere (answered 92)."""
    routes: tuple[RouteSettings, ...] = ()


@attrs.frozen
class Settings:
    """Everything a switch is told."""

    routing: RoutingSettings
    switch: SwitchSettings = SwitchSettings()
    database: DatabaseSettings = DatabaseSettings()
    keys: KeySettings = KeySettings()
    retention: RetentionSettings = RetentionSettings()
    admin: AdminSettings = AdminSettings()
    logging: LoggingSettings = LoggingSettings()
    links: LinkLimits = LinkLimits()
    requests: RequestSettings = RequestSettings()
    deliveries: DeliverySettings = DeliverySettings()
    settlement: SettlementSettings = SettlementSettings()
    tls: tuple[tuple[str, TlsSettings], ...] = ()
    institutions: tuple[InstitutionSettings, ...] = ()
    fees: tuple[FeeSettings, ...] = ()
    rates: tuple[RateSettings, ...] = ()
    listeners: tuple[ListenerSettings, ...] = ()
    diallers: tuple[DiallerSettings, ...] = ()
    base: Path = Path()
    """The folder of the configuration file; relative paths were resolved against it."""
