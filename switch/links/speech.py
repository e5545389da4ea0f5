"""What is spoken on a link, and the session that speaks it."""

from __future__ import annotations

import attrs

from ...codecs.iso8583 import Spec
from ...config.settings import InstitutionSettings, Protocol, SignOn
from .fin import FinSession
from .iso import IsoSession
from .session import LinkSession
from .surroundings import Surroundings
from .wire import Wire


@attrs.frozen
class Speech:
    """Protocol, spec and sign-on of the links of one listener or dialler."""

    protocol: Protocol
    spec: Spec
    sign_on: SignOn
    surroundings: Surroundings
    must_prove: bool = False
    """See `signon.FIRST`."""
    echo_interval_s: float = 0.0

    def make_session(self, name: str, institution: InstitutionSettings, wire: Wire, direction: str) -> LinkSession:
        """Make the session of a wire whose peer is known; the wire lets it begin."""
        if self.protocol is Protocol.FIN:
            return FinSession(name, institution, wire, direction, self.surroundings)
        return IsoSession(
            name,
            institution,
            wire,
            direction,
            self.surroundings,
            self.spec,
            self.sign_on,
            self.must_prove,
            self.echo_interval_s,
        )
