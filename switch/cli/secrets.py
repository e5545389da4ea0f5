"""`junctor cert`: make certificates for development."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from .complaints import Complaint
from .options import json_option
from .output import write_json


@click.group()
def cert() -> None:
    """Certificates for development."""


@cert.command("dev")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("names", nargs=-1, required=True)
@click.option("--replace", is_flag=True, help="Replace an authority that is there, and end what it has signed.")
@json_option
def dev_certificates(folder: Path, names: tuple[str, ...], replace: bool, as_json: bool) -> None:
    """Make a certificate authority in FOLDER and a certificate for each of NAMES, good for 30 days.

    They serve either end of a connection on localhost and 127.0.0.1. The pins that are shown go under
    `[[institutions]]` in the configuration. For development alone: the authority's key lies beside them.
    """
    from ...simulators.authority import make_authority

    if (folder / "ca.key").exists() and not replace:
        raise Complaint(f"{folder} holds an authority already; --replace makes a new one in its place")
    for name in names:
        if not name.isascii() or not name.replace("-", "").replace(".", "").isalnum() or name in ("ca", "crl"):
            raise Complaint(f"{name!r} cannot be a certificate's name here: use letters, digits, dots and dashes")
    authority = make_authority(folder, datetime.now(UTC))
    authority.revoke()
    issued = [authority.issue(name) for name in names]
    if as_json:
        files = {"ca_file": str(authority.ca_file), "crl_file": str(authority.crl_file)}
        certificates = [
            {
                "name": each.name,
                "certificate_file": str(each.certificate_file),
                "key_file": str(each.key_file),
                "pin": each.pin,
            }
            for each in issued
        ]
        write_json({**files, "certificates": certificates})
        return
    click.echo(f"authority: {authority.ca_file}, revocation list: {authority.crl_file}")
    for each in issued:
        click.echo(f"{each.name}: {each.certificate_file}, {each.key_file}\n  pin {each.pin}")
