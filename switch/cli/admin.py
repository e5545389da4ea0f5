"""Ask the running switch over its admin listener."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final

from ...config.settings import Settings
from .complaints import Complaint

TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 16_777_216


def ask_switch(settings: Settings, path: str) -> Any:
    """Get a JSON document of the admin page; a Complaint when the switch does not answer."""
    host, port = admin_address(settings.admin.listen)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(ANSWER_BYTES_MAX)
        if response.status != 200:
            raise Complaint(f"the switch at {host}:{port} answered {response.status} to {path}")
        return json.loads(body)
    except OSError as error:
        raise Complaint(
            f"no switch answers at {host}:{port} ({error.strerror or 'no answer in time'}): is it running?"
        ) from error
    except (http.client.HTTPException, ValueError) as error:
        raise Complaint(f"what answers at {host}:{port} is not a switch's admin page") from error
    finally:
        connection.close()


def admin_address(endpoint: str) -> tuple[str, int]:
    """Give host and port of a Twisted TCP endpoint (`tcp:9583:interface=127.0.0.1`), as seen from this machine."""
    kind, _, rest = endpoint.partition(":")
    words = rest.replace("\\:", "\0").split(":")
    named = dict(word.split("=", 1) for word in words if "=" in word)
    port = named.get("port") or words[0]
    host = named.get("interface", "").replace("\0", ":")
    if kind not in ("tcp", "tcp4", "tcp6") or not port.isdigit():
        raise Complaint(f"admin.listen is {endpoint!r}: the command line can ask a TCP endpoint only")
    everywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    return everywhere.get(host, host), int(port)
