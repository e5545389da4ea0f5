"""A whole town on loopback for the stories: a switch, an acquirer's terminals, an issuer, a SWIFT bank, and a CA.

The switch runs in this process or as a child (to be killed). Everything is real: TLS, sockets, the database.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import urlopen

import attrs
from junctor.codecs.framing import Frame
from junctor.codecs.iso8583 import Message, Spec, decode, encode, load_spec
from junctor.codecs.masking import Pan
from junctor.codecs.money import get_currency
from junctor.config.load import load_settings
from junctor.config.settings import Settings, TlsSettings
from junctor.ledger import Vault, make_key_file, migrate, open_reader, open_store
from junctor.ledger.operations import Authorise, Decided, Done, Facts, Item, Movement, OpenAccount, Outcome
from junctor.simulators.authority import Authority, Issued, make_authority
from junctor.simulators.bank import Bank, BankRule, BankSettings, Transfer
from junctor.simulators.issuer import Issuer, IssuerSettings
from junctor.simulators.rules import Rule
from junctor.simulators.wire import Address, Wire, dial
from junctor.switch.build import build
from junctor.switch.database import open_vault
from junctor.switch.service import SwitchService
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

PAN = "4761739001010119"
OTHER_PAN = "4761739001010010"
BLUE_PAN = "5413330089010012"
EUR = get_currency("EUR").numeric
OUR_BIC, BANK_BIC, OTHER_BANK_BIC = "JUNCDEFFXXX", "NORTDEFFXXX", "SOUTDEFFXXX"
ASCII = load_spec("iso1987-ascii")

CONFIG = """
[switch]
bic = "{our_bic}"
drain_s = 3.0

[database]
url = "{url}"
connect_timeout_s = 1.0

[keys]
kek_file = "kek.key"

[admin]
listen = "tcp:{admin}:interface=127.0.0.1"

[logging]
level = "warn"

[links]
handshake_s = 3.0
frame_s = 1.0
in_hand_max = 64

[requests]
response_timeout_s = {response_timeout_s}
hold_expiry_s = {hold_expiry_s}
partial_completion_conditions = {partial_completion_conditions}
sweep_interval_s = 0.2

[deliveries]
ack_timeout_s = 0.5
backoff_initial_s = 0.1
backoff_max_s = 0.5
attempts_max = {attempts_max}
poll_s = 0.1

[tls.ours]
certificate_file = "tls/switch.pem"
key_file = "tls/switch.key"
ca_file = "tls/ca.pem"
crl_file = "tls/crl.pem"

[[institutions]]
id = "acme"
pins = ["{acme_pin}"]

[[institutions]]
id = "blue"
pins = ["{blue_pin}"]

[[institutions]]
id = "green"
pins = ["{green_pin}"]

[[institutions]]
id = "north"
bic = "{bank_bic}"
pins = ["{north_pin}"]

[[institutions]]
id = "south"
bic = "{other_bank_bic}"
pins = ["{south_pin}"]

[[listeners]]
name = "terminals"
listen = "tcp:{terminals}:interface=127.0.0.1"
tls = "ours"
spec = "iso1987-ascii"
framing = "length2"

[[listeners]]
name = "banks"
listen = "tcp:{banks}:interface=127.0.0.1"
tls = "ours"
protocol = "fin"
framing = "length4"

[[diallers]]
name = "blue-1"
institution = "blue"
host = "127.0.0.1"
port = {blue}
tls = "ours"
spec = "iso1987-binary"
reconnect_initial_s = 0.1
reconnect_max_s = 0.3
echo_interval_s = 30

[[diallers]]
name = "green-1"
institution = "green"
host = "127.0.0.1"
port = {green}
tls = "ours"
spec = "iso1987-binary"
reconnect_initial_s = 0.1
reconnect_max_s = 0.3
echo_interval_s = 30

[[diallers]]
name = "north-1"
institution = "north"
host = "127.0.0.1"
port = {north}
tls = "ours"
protocol = "fin"
framing = "length4"
reconnect_initial_s = 0.1
reconnect_max_s = 0.3

[routing]
default = ["ledger"]

[[routing.routes]]
name = "blue-cards"
bins = ["541333"]
to = ["blue", "green"]

[[routing.routes]]
name = "north-bank"
bics = ["{bank_bic}"]
to = ["north"]
"""


def free_ports(count: int) -> list[int]:
    """Find ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Line:
    """A client's connection: what it hears is queued; a test sends and takes."""

    def __init__(self, spec: Spec = ASCII) -> None:
        self.spec = spec
        self.frames: DeferredQueue[bytes] = DeferredQueue()
        self.lost: Deferred[str] = Deferred()
        self.wire: Wire | None = None
        self._reactor: Any = None

    async def open(self, reactor: Any, address: Address, framing: str = "length2") -> Line:
        self._reactor = reactor
        self.wire = await dial(reactor, address, framing, self)
        return self

    def wire_up(self, wire: Wire) -> None:
        self.wire = wire

    def hear(self, wire: Wire, frame: Frame) -> None:
        self.frames.put(frame.body)

    def wire_down(self, wire: Wire, why: str) -> None:
        if not self.lost.called:
            self.lost.callback(why)

    def send(self, message: Message | bytes) -> None:
        assert self.wire is not None
        self.wire.send(message if isinstance(message, bytes) else encode(self.spec, message))

    async def hear_raw(self, timeout_s: float = 5.0) -> bytes:
        return await self.frames.get().addTimeout(timeout_s, self._reactor)

    async def ask(self, message: Message, timeout_s: float = 5.0) -> Message:
        return decode(self.spec, await self.ask_raw(message, timeout_s))

    async def ask_raw(self, message: Message | bytes, timeout_s: float = 5.0) -> bytes:
        self.send(message)
        return await self.hear_raw(timeout_s)

    async def hears_nothing(self, for_s: float = 0.3) -> bool:
        await deferLater(self._reactor, for_s, lambda: None)
        return not self.frames.pending

    def close(self) -> None:
        if self.wire is not None:
            self.wire.cut()


class Sender:
    """Makes messages of one terminal with a STAN, RRN and time of their own."""

    def __init__(self, terminal: str = "TERM0001", first: int = 1) -> None:
        self.terminal = terminal
        self._stan = first - 1

    def message(
        self,
        mti: str,
        processing_code: str,
        amount: int,
        pan: str | None = PAN,
        changes: dict[int, str] | None = None,
    ) -> Message:
        self._stan += 1
        now = datetime.now(UTC)
        fields: dict[int, str] = {
            3: processing_code,
            4: f"{amount:012d}",
            7: f"{now:%m%d%H%M%S}",
            11: f"{self._stan:06d}",
            12: f"{now:%H%M%S}",
            13: f"{now:%m%d}",
            32: "12345678901",
            37: f"{now:%H%M%S}{self._stan:06d}",
            41: self.terminal,
            42: "MERCHANT0000001",
            49: "978",
        }
        if pan is not None:
            fields[2] = pan
        fields.update(changes or {})
        return Message(mti, dict(sorted(fields.items())))

    def purchase(self, amount: int = 1_000, pan: str = PAN, **changes: str) -> Message:
        return self.message("0200", "000000", amount, pan, {int(de[2:]): value for de, value in changes.items()})

    def following(self, original: Message, mti: str, changes: dict[int, str] | None = None) -> Message:
        """Make a message that names an original by DE90: a reversal, or a completion."""
        self._stan += 1
        acquirer = str(original[32]).rjust(11, "0")
        fields = {
            element: value
            for element, value in original.fields.items()
            if element in (2, 3, 4, 12, 13, 32, 37, 41, 42, 49, 102, 103)
        }
        fields[7] = f"{datetime.now(UTC):%m%d%H%M%S}"
        fields[11] = f"{self._stan:06d}"
        fields[90] = "".join((original.mti, str(original[11]), str(original[7]), acquirer, "0" * 11))
        fields.update(changes or {})
        return Message(mti, dict(sorted(fields.items())))


@attrs.define
class Town:
    """Everything around one switch; `close` ends it all."""

    reactor: Any
    folder: Path
    url: str
    response_timeout_s: float = 1.0
    hold_expiry_s: float = 3_600.0
    partial_completion_conditions: tuple[str, ...] = ()
    attempts_max: int = 20
    authority: Authority = attrs.field(init=False)
    issued: dict[str, Issued] = attrs.field(init=False)
    ports: dict[str, int] = attrs.field(init=False)
    settings: Settings = attrs.field(init=False)
    service: SwitchService | None = None
    process: subprocess.Popen[bytes] | None = None
    issuers: dict[str, Issuer] = attrs.field(factory=dict)
    bank: Bank | None = None
    lines: list[Line] = attrs.field(factory=list)
    opened: Vault | None = None
    log_file: Path | None = None
    """Where the child process logs; None: nowhere."""

    def __attrs_post_init__(self) -> None:
        self.authority = make_authority(self.folder / "tls", datetime.now(UTC))
        names = ("switch", "acme", "blue", "green", "north", "south")
        self.issued = {name: self.authority.issue(name) for name in names}
        self.authority.revoke()
        self.ports = dict(zip(("terminals", "banks", "blue", "green", "north", "admin"), free_ports(6), strict=True))
        make_key_file(self.folder / "kek.key")
        self.configure()
        migrate(self.settings.database.url)

    def configure(self, change: tuple[str, str] = ("", "")) -> None:
        """Write the configuration file (with one text changed) and read it as the switch will."""
        text = CONFIG.format(
            our_bic=OUR_BIC,
            bank_bic=BANK_BIC,
            other_bank_bic=OTHER_BANK_BIC,
            url=self.url,
            response_timeout_s=self.response_timeout_s,
            hold_expiry_s=self.hold_expiry_s,
            partial_completion_conditions=list(self.partial_completion_conditions),
            attempts_max=self.attempts_max,
            **self.ports,
            **{f"{name}_pin": issued.pin for name, issued in self.issued.items()},
        )
        assert change[0] in text
        self.config_file.write_text(text.replace(*change) if change[0] else text)
        self.settings = load_settings(self.config_file)

    @property
    def config_file(self) -> Path:
        return self.folder / "junctor.toml"

    def tls(self, name: str) -> TlsSettings:
        issued = self.issued[name]
        return TlsSettings(issued.certificate_file, issued.key_file, self.authority.ca_file)

    # ------------------------------------------------------------ the switch

    async def start(self) -> None:
        """Start the switch in this process."""
        self.service = build(self.reactor, self.settings)
        await self.service.start()

    async def stop(self) -> None:
        service, self.service = self.service, None
        if service is not None:
            await service.stop()

    async def start_process(self) -> None:
        """Start the switch as a child process and wait until it is ready."""
        arguments = [sys.executable, "-m", "junctor.switch", "run", "--config", str(self.config_file)]
        if self.log_file is None:
            self.process = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        else:
            with self.log_file.open("ab") as log:
                self.process = subprocess.Popen(arguments, stderr=log, stdout=log)
        for _ in range(200):
            await self.pause(0.05)
            assert self.process.poll() is None, self._last_words()
            if await deferToThread(self._is_ready):
                return
        raise AssertionError("the switch did not get ready within ten seconds")

    def _last_words(self) -> str:
        if self.process is not None and self.process.stderr is not None:
            return self.process.stderr.read().decode()[-2_000:]
        return self.log_file.read_text()[-2_000:] if self.log_file is not None else ""

    def _is_ready(self) -> bool:
        try:
            return " 200 " in self._status_of("/readyz")
        except OSError:
            return False

    def kill(self) -> None:
        """Kill -9 the child process."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._forget_process()

    async def terminate(self) -> int:
        """Stop the child process as an operator does, and give its exit status."""
        assert self.process is not None
        self.process.terminate()
        status: int = await deferToThread(self.process.wait, 15)
        self._forget_process()
        return status

    def _forget_process(self) -> None:
        if self.process is not None and self.process.stderr is not None:
            self.process.stderr.close()
        self.process = None

    # ------------------------------------------------------------ neighbours

    async def start_issuer(self, name: str = "blue", rules: Sequence[Rule] = (), until_live: bool = True) -> Issuer:
        """Start an issuer that the switch dials; wait until it is signed on, if the switch runs here."""
        issuer = Issuer(
            self.reactor,
            IssuerSettings(load_spec("iso1987-binary"), rules=rules),
            Random(1),
            lambda: datetime.now(UTC),
        )
        await issuer.listen(f"tcp:{self.ports[name]}:interface=127.0.0.1", self.tls(name))
        self.issuers[name] = issuer
        await self.until(lambda: not until_live or self.service is None or name in self.live())
        return issuer

    def live(self) -> Any:
        assert self.service is not None
        return {name for name, links in self.service.directory.live_names().items() if links}

    async def start_bank(self, rules: Sequence[BankRule] = ()) -> Bank:
        """Start the bank north, which the switch dials."""
        self.bank = Bank(
            self.reactor, BankSettings(BANK_BIC, rules=tuple(rules)), Random(1), lambda: datetime.now(UTC)
        )
        await self.bank.listen(f"tcp:{self.ports['north']}:interface=127.0.0.1", self.tls("north"))
        return self.bank

    async def south(self) -> tuple[Bank, Wire]:
        """Connect the bank south, which dials the switch."""
        south = Bank(self.reactor, BankSettings(OTHER_BANK_BIC), Random(2), lambda: datetime.now(UTC))
        wire = await south.dial(Address("127.0.0.1", self.ports["banks"], self.tls("south")))
        self.lines.append(Line())
        self.lines[-1].wire = wire
        return south, wire

    async def line(self, name: str = "acme", port: str = "terminals", framing: str = "length2") -> Line:
        """Connect a client under an institution's certificate."""
        line = Line()
        self.lines.append(line)
        return await line.open(self.reactor, Address("127.0.0.1", self.ports[port], self.tls(name)), framing)

    # ------------------------------------------------------------ the books

    @property
    def vault(self) -> Vault:
        if self.opened is None:
            self.opened = open_vault(self.settings)
        return self.opened

    def commit(self, *items: Item) -> list[Outcome]:
        store = open_store(self.settings.database.url, self.vault)
        try:
            return store.commit(items)
        finally:
            store.close()

    def open_account(self, code: str, opening: int, pan: str | None = None, currency: int = EUR) -> None:
        """Create a customer's account with money from nowhere: a suspense account without a floor."""
        cards = (self.vault.card_ref(Pan(pan)),) if pan else ()
        world = f"opening.{currency}"
        key = Random(code).randbytes(16)
        facts = Facts(key, key, "town", "ledger", "journal", 1, "opening", amount_minor=opening, currency=currency)
        outcomes = self.commit(
            OpenAccount(world, "suspense", currency, "", 1, floor_minor=None),
            OpenAccount(code, "cardholder", currency, "", 1, cards=cards),
            Authorise(facts, (Movement(world, code, opening, currency),), lambda _: b""),
        )
        assert [type(outcome) for outcome in outcomes] == [Done, Done, Decided], outcomes

    def read(self) -> Any:
        return open_reader(self.settings.database.url, self.vault)

    def balance(self, code: str) -> tuple[int, int]:
        """Give what an account holds: posted, and held."""
        with self.read() as reader:
            account = reader.account(code)
            return account.balance.posted, account.balance.held

    def assert_books_balance(self) -> None:
        with self.read() as reader:
            assert all(total == 0 for total in reader.imbalance().values()), "the books do not balance"

    async def metric(self, name: str, **labels: str) -> float:
        """Give the sum of a metric's samples that carry the labels, as /metrics tells it."""
        found = list(text_string_to_metric_families(await self.fetch("/metrics")))
        return sum(
            sample.value
            for family in found
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def fetch(self, path: str) -> str:
        """Fetch a page of the admin listener."""
        page: str = await deferToThread(self._fetch, path)
        return page

    def _fetch(self, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.ports['admin']}{path}", timeout=5) as page:
            return str(page.read().decode())

    async def status_of(self, path: str) -> str:
        """Give the status line of a page of the admin listener."""
        status: str = await deferToThread(self._status_of, path)
        return status

    def _status_of(self, path: str) -> str:
        with socket.create_connection(("127.0.0.1", self.ports["admin"]), 2) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return connection.recv(1_000).decode().split("\r\n", 1)[0]

    # ------------------------------------------------------------ waiting, and the end

    def pause(self, seconds: float) -> Deferred[None]:
        return deferLater(self.reactor, seconds, lambda: None)

    async def until(self, condition: Any, within_s: float = 10.0) -> None:
        """Wait until a condition holds; it is what every story does instead of sleeping."""
        for _ in range(int(within_s / 0.02)):
            if condition():
                return
            await self.pause(0.02)
        raise AssertionError(f"it did not come to pass within {within_s} s")

    async def close(self) -> None:
        try:
            for line in self.lines:
                line.close()
            for issuer in self.issuers.values():
                await issuer.close()
            if self.bank is not None:
                await self.bank.close()
        finally:
            if self.process is not None:
                self.kill()
            await self.stop()
        await self.pause(0.05)


def transfer(
    reference: str, uetr: str, amount: str = "250,00", to_account: str = "DE89370400440532013000"
) -> Transfer:
    """Make the content of an MT103."""
    return Transfer(
        reference=reference,
        uetr=uetr,
        currency="EUR",
        amount=amount,
        value_date=date(2026, 11, 20),
        from_account="DE68210501700012345678",
        to_account=to_account,
    )
