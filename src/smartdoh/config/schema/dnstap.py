"""The table [dnstap]."""

import socket
from pathlib import Path
from typing import Annotated

from smartdoh.config.schema._fields import FilePath, Schema, Text, key
from smartdoh.config.settings import DnstapSettings

LONGEST = 255  # characters of an identity


def _parse_identity(text: str) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise ValueError("is no name")
    return text


class DnstapTable(Schema):
    """Every question as a dnstap message, for a collector on this machine; see [dnstap](dnstap.md).

    Needs `pip install smartdoh[dnstap]`.
    """

    socket: FilePath = key("", meaning="The collector's Unix socket; without one, nothing is sent.")
    identity: Annotated[str, Text(_parse_identity, f"at most {LONGEST} characters")] = key(
        "", meaning="How messages name this server, by default by the host's name."
    )

    def resolve(self, folder: Path) -> DnstapSettings:
        """The settings of this table; a relative path is relative to `folder`."""
        return DnstapSettings(
            socket=folder / self.socket if self.socket else None,
            identity=self.identity or socket.gethostname(),
        )
