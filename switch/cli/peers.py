"""Options by which simulators are told whom to connect to, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from ...config.settings import TlsSettings
from ...simulators.wire import Address
from .complaints import Complaint

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class HostPort:
    """Where a peer listens."""

    host: str
    port: int


class HostPortType(click.ParamType[HostPort]):
    """Reads `host:port`, an IPv6 address in brackets."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> HostPort:
        if isinstance(value, HostPort):
            return value
        host, colon, port = str(value).rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
            self.fail(f"{value!r} is not of the form host:port", param, ctx)
        return HostPort(host, int(port))


def with_peer(command: F) -> F:
    """Add the options --tls, --as and --server-name."""
    for option in (
        click.option("--server-name", help="The name that the peer's certificate must carry; default: the host."),
        click.option(
            "--as", "--name", "name", default="client", show_default=True, help="Whose certificate in the TLS folder."
        ),
        click.option(
            "--tls",
            "--tls-folder",
            "tls_folder",
            type=click.Path(path_type=Path, file_okay=False, exists=True),
            help="A folder with ca.pem, NAME.pem and NAME.key, as `junctor cert dev` makes; none: no TLS.",
        ),
    ):
        command = option(command)
    return command


def tls_of(folder: Path | None, name: str) -> TlsSettings | None:
    """Give the TLS settings of a name in a folder, None without a folder; a Complaint when a file is missing."""
    if folder is None:
        return None
    tls = TlsSettings(
        certificate_file=folder / f"{name}.pem", key_file=folder / f"{name}.key", ca_file=folder / "ca.pem"
    )
    for path in (tls.certificate_file, tls.key_file, tls.ca_file):
        if not path.is_file():
            raise Complaint(f"{path} is not there; `junctor cert dev {folder} {name}` makes certificates")
    return tls


def address_of(at: HostPort, tls_folder: Path | None, name: str, server_name: str | None) -> Address:
    """Give the address of a peer to dial."""
    return Address(at.host, at.port, tls_of(tls_folder, name), server_name)
