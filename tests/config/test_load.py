"""From a TOML file to settings: what is read, and how every mistake is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args, get_type_hints

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctor.codecs import iso8583
from junctor.codecs.framing import make_framer
from junctor.config import Settings, SettingsFault, SettingsFaults, load_settings
from junctor.config.bounds import find_range
from junctor.config.crosscheck import FRAMINGS, SPECS
from junctor.config.settings import DiallerSettings, Protocol, RouteSettings, SignOn, TlsSettings

DEMO = Path(iso8583.__file__).parents[2] / "config" / "demo" / "junctor.toml"

SOUND = """
[routing]
default = ["ledger"]

[tls.main]
certificate_file = "tls/us.pem"
key_file = "tls/us.key"
ca_file = "tls/ca.pem"

[[institutions]]
id = "blue-bank"
subjects = ["blue-bank"]

[[institutions]]
id = "acme-pos"
subjects = ["acme-pos"]

[[listeners]]
name = "terminals"
listen = "tcp:8583"
tls = "main"

[[diallers]]
name = "blue-1"
institution = "blue-bank"
host = "blue.example"
port = 9000
tls = "main"

[[routing.routes]]
name = "blue"
bins = ["476173"]
to = ["blue-bank", "ledger"]
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Settings]:
    def write_and_load(text: str) -> Settings:
        path = tmp_path / "junctor.toml"
        path.write_text(text)
        return load_settings(path)

    return write_and_load


@pytest.fixture
def faults(load: Callable[[str], Settings]) -> Callable[[str], dict[str, str]]:
    """Load what must be refused, and give the faults as path -> why."""

    def refused(text: str) -> dict[str, str]:
        with pytest.raises(SettingsFaults) as caught:
            load(text)
        return {fault.path: fault.why for fault in caught.value.faults}

    return refused


Load = Callable[[str], Settings]
Refused = Callable[[str], dict[str, str]]


def changed(old: str, new: str) -> str:
    """The sound file with one piece changed."""
    assert SOUND.count(old) == 1, f"{old!r} is not there exactly once"
    return SOUND.replace(old, new)


def test_smallest_file_says_only_where_payments_go(load: Load) -> None:
    settings = load('[routing]\ndefault = ["ledger"]\n')
    assert settings.routing.default == ("ledger",)
    assert settings.links.frame_bytes_max == 16_384
    assert settings.requests.code_no_route == "92"


def test_sections_become_typed_values(load: Load, tmp_path: Path) -> None:
    settings = load(SOUND)
    assert settings.tls == (
        ("main", TlsSettings(tmp_path / "tls/us.pem", tmp_path / "tls/us.key", tmp_path / "tls/ca.pem")),
    )
    assert settings.diallers == (
        DiallerSettings("blue-1", "blue-bank", "blue.example", 9000, Protocol.ISO8583, "main", sign_on=SignOn.WE),
    )
    assert settings.routing.routes == (RouteSettings("blue", ("blue-bank", "ledger"), ("476173",)),)


def test_relative_paths_start_at_the_folder_of_the_file(load: Load, tmp_path: Path) -> None:
    settings = load(
        SOUND + '[database]\nurl = "sqlite:///books/junctor.db"\n[keys]\ndata_key_file = "/etc/data.key"\n'
    )
    assert settings.base == tmp_path
    assert settings.database.url == f"sqlite:///{tmp_path}/books/junctor.db"
    assert settings.keys.data_key_file == Path("/etc/data.key")


def test_default_database_lies_beside_the_file(load: Load, tmp_path: Path) -> None:
    assert load(SOUND).database.url == f"sqlite:///{tmp_path}/junctor.db"


def test_default_key_files_lie_beside_the_file(load: Load, tmp_path: Path) -> None:
    assert load(SOUND).keys.card_hash_key_file == tmp_path / "keys/card-hash.key"


def test_address_of_a_server_stays_as_it_is(load: Load) -> None:
    url = "postgresql://junctor@db.example/junctor?sslmode=verify-full"
    assert load(SOUND + f'[database]\nurl = "{url}"\n').database.url == url


def test_spec_of_ones_own_is_a_path_beside_the_file(load: Load, tmp_path: Path) -> None:
    settings = load(changed('listen = "tcp:8583"', 'listen = "tcp:8583"\nspec = "specs/house.toml"'))
    assert settings.listeners[0].spec == str(tmp_path / "specs/house.toml")
    assert settings.diallers[0].spec == "iso1987-ascii"


def test_one_string_stands_for_a_list_of_one(load: Load) -> None:
    assert load('[routing]\ndefault = "ledger"\n').routing.default == ("ledger",)


def test_whole_number_is_good_for_seconds(load: Load) -> None:
    assert load(SOUND + "[links]\nidle_s = 30\n").links.idle_s == 30.0


def test_demo_configuration_loads() -> None:
    settings = load_settings(DEMO)
    assert [institution.id for institution in settings.institutions] == ["acme-pos", "blue-bank", "north-bank"]
    assert [(door.name, door.protocol, door.spec, door.framing) for door in settings.listeners] == [
        ("terminals", Protocol.ISO8583, "iso1987-ascii", "length2"),
        ("swift-in", Protocol.FIN, "iso1987-ascii", "length4"),
    ]
    assert [(dialler.institution, dialler.protocol, dialler.spec) for dialler in settings.diallers] == [
        ("blue-bank", Protocol.ISO8583, "iso1987-binary"),
        ("north-bank", Protocol.FIN, "iso1987-ascii"),
    ]
    assert settings.keys.data_key_file == DEMO.parent / "keys/data.key"


def test_demo_configuration_names_each_port_once() -> None:
    text = DEMO.read_text()
    for port in ("tcp:9583:", "tcp:8583:", "tcp:8584:", "port = 8585", "port = 8586"):
        assert text.count(port) == 1


# ---------------------------------------------------------------------------------------------------- mistakes


def test_every_mistake_is_told_at_once(faults: Refused) -> None:
    told = faults(
        changed('tls = "main"\n\n[[diallers]]', 'tls = "mian"\n\n[[diallers]]')
        + '[links]\nidle = 3\nframe_s = -1\n[requests]\nresponse_timeout_s = "20"\n[database]\nurl = "mysql://x/y"\n'
    )
    assert told == {
        "links.idle": "unknown key, did you mean links.idle_s?",
        "links.frame_s": "must be more than 0",
        "requests.response_timeout_s": "expected a number, found a string",
        "database.url": "must begin with sqlite:/// or postgresql://",
        "listeners[0].tls": "no [tls] of the name 'mian', did you mean main?",
    }


def test_faults_print_one_a_line(load: Load) -> None:
    with pytest.raises(SettingsFaults) as caught:
        load('[routing]\ndefault = "ledger"\n[links]\nidle = 3\nframe_s = true\n')
    assert str(caught.value).splitlines() == [
        "links.idle: unknown key, did you mean links.idle_s?",
        "links.frame_s: expected a number, found true or false",
    ]


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("[linkz]", "linkz", "unknown key, did you mean links?"),
        ("[links]\nresponse_timeout_s = 3", "links.response_timeout_s", "unknown key, did you mean requests."),
        ("[logging]\ncolour = 1", "logging.colour", "unknown key; known: format, level"),
        ("[links]\nidle_s = true", "links.idle_s", "expected a number, found true or false"),
        ("[links]\nidle_s = nan", "links.idle_s", "must be a finite number"),
        ("[links]\nidle_s = inf", "links.idle_s", "must be a finite number"),
        ("[links]\nidle_s = 0", "links.idle_s", "must be more than 0"),
        ("[links]\nin_hand_max = 0", "links.in_hand_max", "must be at least 1"),
        ("[links]\nin_hand_max = 1.0", "links.in_hand_max", "expected a whole number, found a number"),
        ("[links]\nframe_bytes_max = 1e4", "links.frame_bytes_max", "expected a whole number, found a number"),
        ("[links]\nframe_bytes_max = 99999999", "links.frame_bytes_max", "must be at most 16777216"),
        ("links = 3", "links", "expected a table, found a whole number"),
        ("listeners = 3", "listeners", "expected [[listeners]] tables, found a whole number"),
        ("tls = [1]", "tls", "expected [tls.NAME] tables, found a list"),
        ("tls.x = 3", "tls.x", "expected a table, found a whole number"),
        ('institutions = ["blue"]', "institutions[0]", "expected a table, found a string"),
        ("[[institutions]]\nid = 1979-05-27", "institutions[0].id", "expected a string, found a date or time"),
        ("[[institutions]]\nname = 'x'", "institutions[0].id", "missing, and it has no default"),
        ("[[institutions]]\nid = 'a b'", "institutions[0].id", "must be 1 to 48 letters, digits, - and _"),
        ("[[institutions]]\nid = 'ledger'", "institutions[0].id", "ledger is the destination of our own books"),
        ("[[institutions]]\nid = 'x'\ncurrencies = ['euro']", "institutions[0].currencies[0]", "must be a currency"),
        ("[[institutions]]\nid = 'x'\ncurrencies = []", "institutions[0].currencies", "must not be empty"),
        (
            "[[institutions]]\nid = 'x'\nidentity = [2, 11]",
            "institutions[0].identity",
            "must not name what may not be stored, as a card number",
        ),
        ("[[institutions]]\nid = 'x'\nidentity = [7, 1]", "institutions[0].identity[1]", "must be at least 2"),
        ("[[rates]]\npayment = 'USD'\naccount = 'EUR'\nrate = '0.00'", "rates[0].rate", "must be more than zero"),
        ("[[rates]]\npayment = 'USD'\naccount = 'USD'\nrate = '1'", "rates[0].account", "is the payment's currency"),
        ("[[rates]]\npayment = 'USD'\naccount = 'EUR'\nrate = 0.9", "rates[0].rate", "expected a string"),
        ("[[rates]]\npayment = 'USD'\naccount = 'EUR'\nrate = '1e3'", "rates[0].rate", "must be a decimal number"),
        ("[[fees]]\nname = 'f'\ncurrency = 'EUR'\nper_mille = 1001", "fees[0].per_mille", "must be at most 1000"),
        ("[[fees]]\nname = 'f'\ncurrency = 'EUR'\naccount = 'anna'", "fees[0].account", "must be a code"),
        ("[[fees]]\nname = 'f'\ncurrency = 'EUR'\ninstitutions = ['x']", "fees[0].institutions[0]", "no institution"),
        (
            "[[fees]]\nname = 'f'\ncurrency = 'EUR'\nminimum_minor = 2\nmaximum_minor = 1",
            "fees[0].maximum_minor",
            "must be at least minimum_minor",
        ),
        ("[[institutions]]\nid = 'x'\nidentity = [7, 7]", "institutions[0].identity", "names something twice"),
        ("[[institutions]]\nid = 'x'\nidentity = 7", "institutions[0].identity", "expected a list, found a whole"),
        ("[[institutions]]\nid = 'x'\npins = ['AB']", "institutions[0].pins[0]", "must be 64 hexadecimal digits"),
        ("[[institutions]]\nid = 'x'\nbic = 'nope'", "institutions[0].bic", "must be a BIC"),
        ("[[institutions]]\nid = 'x'\nbic = 'JUNCDEFF'", "institutions[0].bic", "the BIC 'JUNCDEFFXXX' is already"),
        ("[switch]\nlt_code = 'X'", "switch.lt_code", "must be one capital letter or digit, and not X"),
        ("[requests]\ncode_timeout = '911'", "requests.code_timeout", "must be a response code (DE39)"),
        ("[deliveries]\nbackoff_jitter = 1.5", "deliveries.backoff_jitter", "must be at most 1"),
        ("[deliveries]\nbackoff_max_s = 0.1", "deliveries.backoff_max_s", "must be at least deliveries.backoff_init"),
        ("[database]\nbatch_items_max = 90000", "database.queue_items_max", "must be at least database.batch_items"),
        ("[keys]\ndata_key = 'c0ffee'", "keys.data_key", "unknown key, did you mean keys.data_key_file?"),
        ("[keys]\ndata_key_file = ''", "keys.data_key_file", "must name a file"),
        ("[database]\npassword = 'x'", "database.password", "unknown key, did you mean database.password_file?"),
        ("[admin]\nlisten = 'ssl:1'", "admin.listen", "must be an endpoint without TLS"),
        ("[[listeners]]\nname = 'x'\nlisten = 'tcp:1'", "listeners[0]", "without tls it needs institution"),
        ("[[listeners]]\nname = 'x'\nlisten = 'tcp:9583:interface=127.0.0.1'", "listeners[0].listen", "the endpoint"),
        ("base = 'x'", "base", "unknown key"),
    ],
)
def test_mistake_is_told_with_its_place(faults: Refused, text: str, path: str, why: str) -> None:
    top = "" if text.startswith("[") else text
    rest = "" if top else text
    told = faults(f'{top}\n[routing]\ndefault = "ledger"\n{rest}\n')
    assert path in told
    assert told[path].startswith(why)


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        (
            'id = "acme-pos"',
            'id = "blue-bank"',
            "institutions[1].id",
            "'blue-bank' is already that of institutions[0].id",
        ),
        ('subjects = ["acme-pos"]', 'subjects = ["blue-bank"]', "institutions[1].subjects[0]", "is already that of"),
        ('name = "blue-1"', 'name = "terminals"', "diallers[0].name", "'terminals' is already that of listeners[0]"),
        (
            'institution = "blue-bank"',
            'institution = "blue-bnk"',
            "diallers[0].institution",
            "did you mean blue-bank?",
        ),
        ('port = 9000\ntls = "main"', "port = 9000", "diallers[0]", "needs tls; plain = true dials without it"),
        ("port = 9000", "port = 9000\nplain = true", "diallers[0].plain", "contradicts tls"),
        ("port = 9000", "port = 90000", "diallers[0].port", "must be at most 65535"),
        ("port = 9000", "", "diallers[0].port", "missing, and it has no default"),
        ("port = 9000", 'port = 9000\nprotocol = "iso"', "diallers[0].protocol", "'iso' is not a choice"),
        ("port = 9000", 'port = 9000\nprotocol = "fin"', "diallers[0].framing", "'length2' does not carry fin"),
        ("port = 9000", 'port = 9000\nframing = "length3"', "diallers[0].framing", "did you mean length4?"),
        ("port = 9000", 'port = 9000\nspec = "iso1987-asci"', "diallers[0].spec", "did you mean iso1987-ascii?"),
        ("port = 9000", "port = 9000\nreconnect_max_s = 0.1", "diallers[0].reconnect_max_s", "must be at least"),
        ('["blue-bank", "ledger"]', '["blue-bnk"]', "routing.routes[0].to", "did you mean blue-bank?"),
        ('["blue-bank", "ledger"]', '["ledger", "blue-bank"]', "routing.routes[0].to", "never chosen"),
        ('["blue-bank", "ledger"]', '["blue-bank", "blue-bank"]', "routing.routes[0].to", "a destination twice"),
        ('default = ["ledger"]', 'default = ["leger"]', "routing.default", "did you mean ledger?"),
        ('default = ["ledger"]', "", "routing.default", "missing"),
        ('bins = ["476173"]', 'bins = ["4761x"]', "routing.routes[0].bins[0]", "must be a prefix of a card number"),
        ('bins = ["476173"]', 'bins = ["47-46"]', "routing.routes[0].bins[0]", "the smaller first"),
        ('bins = ["476173"]', 'bins = ["46-477"]', "routing.routes[0].bins[0]", "the same length"),
        (
            'bins = ["476173"]',
            'institutions = ["acme"]',
            "routing.routes[0].institutions[0]",
            "did you mean acme-pos?",
        ),
        (
            'bins = ["476173"]',
            'types = ["020"]\namount_minor_min = -1',
            "routing.routes[0].amount_minor_min",
            "at least 0",
        ),
        (
            'bins = ["476173"]',
            "amount_minor_min = 5\namount_minor_max = 4",
            "routing.routes[0].amount_minor_max",
            "at least amount_minor_min",
        ),
    ],
)
def test_reference_and_contradiction_are_told(faults: Refused, old: str, new: str, path: str, why: str) -> None:
    told = faults(changed(old, new))
    assert list(told) == [path]
    assert why in told[path]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://junctor:hunter2@db/junctor",
        "postgresql://db/junctor?password=hunter2",
        "postgresql://db/junctor?sslpassword=hunter2",
    ],
)
def test_password_in_the_database_url_is_refused_and_not_repeated(load: Load, url: str) -> None:
    with pytest.raises(SettingsFaults) as caught:
        load(SOUND + f'[database]\nurl = "{url}"\n')
    assert [str(fault) for fault in caught.value.faults] == [
        "database.url: holds a password: take it out and use password_file"
    ]
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:", "postgresql://db", "postgresql://db:port/x"])
def test_database_that_cannot_be_is_refused(faults: Refused, url: str) -> None:
    assert list(faults(SOUND + f'[database]\nurl = "{url}"\n')) == ["database.url"]


def test_missing_file_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults) as caught:
        load_settings(tmp_path / "nowhere.toml")
    assert caught.value.faults == (
        SettingsFault(f"{tmp_path}/nowhere.toml", "cannot be read: No such file or directory"),
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[links", "is not TOML: Expected ']' at the end of a table declaration (at end of document)"),
        (b"a = 1\na = 2\n", "is not TOML: Cannot overwrite a value (at line 2, column 6)"),
        (b"ab\xff", "is not UTF-8 at byte 2"),
        (b"a = " + b"[" * 100_000, "is not TOML: maximum recursion depth exceeded"),
    ],
)
def test_text_that_is_not_toml_is_told_with_its_place(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "junctor.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsFaults) as caught:
        load_settings(path)
    assert caught.value.faults[0].why.startswith(why)


def test_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(SettingsFaults, match="is longer than 16777216 bytes"):
        load_settings(Path("/dev/zero"))


def test_further_checks_are_told_with_ours(tmp_path: Path) -> None:
    path = tmp_path / "junctor.toml"
    path.write_text(changed('default = ["ledger"]', 'default = ["leger"]'))

    def check(settings: Settings) -> Iterator[SettingsFault]:
        yield SettingsFault("routing.routes[0]", f"{len(settings.routing.routes)} row seen")

    with pytest.raises(SettingsFaults) as caught:
        load_settings(path, [check])
    assert [fault.path for fault in caught.value.faults] == ["routing.default", "routing.routes[0]"]


def test_further_checks_do_not_see_settings_that_could_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "junctor.toml"
    path.write_text(changed('bins = ["476173"]', "bins = 476173"))

    def check(settings: Settings) -> Iterator[SettingsFault]:
        raise AssertionError("a row without its bins would look like one for every card")

    with pytest.raises(SettingsFaults, match=r"^routing.routes\[0\].bins: expected a list, found a whole number$"):
        load_settings(path, [check])


# ------------------------------------------------------------------------------------------- the tables themselves


def every_class(cls: Any = Settings) -> Iterator[Any]:
    yield cls
    for hint in get_type_hints(cls).values():
        for inner in [hint, *get_args(hint), *(deep for each in get_args(hint) for deep in get_args(each))]:
            if attrs.has(inner):
                yield from every_class(inner)


def test_every_number_has_a_range() -> None:
    numbers = {
        field
        for cls in every_class()
        for field, hint in get_type_hints(cls).items()
        if {int, float} & {hint, *get_args(hint)}
    }
    assert len(numbers) > 30
    assert {name for name in numbers if find_range(name) is None} == set()


def test_named_specs_are_those_that_come_with_the_switch() -> None:
    folder = Path(iso8583.__file__).parent / "specs"
    assert set(SPECS) == {path.stem for path in folder.glob("*.toml")}


@pytest.mark.parametrize("framing", sorted({kind for kinds in FRAMINGS.values() for kind in kinds}))
def test_named_framings_exist(framing: str) -> None:
    assert make_framer(framing, 1024).feed(b"") == []


toml_values = st.recursive(
    st.booleans()
    | st.integers(-5, 10**6)
    | st.floats(0, 9)
    | st.sampled_from(["x", "ledger", "tcp:1", "fin", "476173"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "to", "default", "routes", "bins", "tls", "url", "idle_s", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def toml(value: object) -> str:
    """Write a value inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(each)}' for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([field.name for field in attrs.fields(Settings)]), toml_values))
def test_no_tree_raises_anything_but_faults(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in tree.items()))
    with suppress(SettingsFaults):
        assert load_settings(path).base == path.parent
