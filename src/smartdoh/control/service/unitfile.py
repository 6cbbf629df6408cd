"""The units as files: the packaged templates, with the command and the addresses of one installation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files

from smartdoh.config import Endpoint

SERVICE, SOCKET = "smartdoh.service", "smartdoh.socket"

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")
_ZONE = re.compile(r"[A-Za-z0-9_.@:-]{1,15}")  # what interfaces are called
_NO_PROGRAM = re.compile(r"[\x00-\x1f\x7f\"'\\]")
_ESCAPES = {"\\": r"\\", '"': r"\"", "%": "%%"}
_PRINTABLE = range(0x20, 0x7F)
_FIRST_BEYOND_ASCII = 0x80


def service(command: Sequence[str]) -> str:
    """The service that runs `command`. Raises ValueError where that cannot be written, or systemd would not run it."""
    if _NO_PROGRAM.search(command[0]):
        raise ValueError(
            f"{command[0]!r}: systemd runs no program with quotes, backslashes or the like in its path"
        )
    return _template(SERVICE).replace("@COMMAND@", command_line(command))


def socket(endpoints: Iterable[Endpoint]) -> str:
    """The socket unit for these addresses, UDP and TCP on each. Raises ValueError where one cannot be written."""
    addresses = map(_address, endpoints)
    lines = [f"Listen{kind}={address}" for address in addresses for kind in ("Datagram", "Stream")]
    return _template(SOCKET).replace("@LISTEN@", "\n".join(lines))


def command_line(words: Sequence[str]) -> str:
    """A command as ExecStart= takes it (systemd.service(5), "Command lines").

    The colon before a command with a dollar sign says that no variables are put in.
    """
    colon = ":" if any("$" in word for word in words) else ""
    return colon + " ".join(map(quoted, words))


def quoted(word: str) -> str:
    """One word as systemd reads it back (systemd.syntax(7), "Quoting"), with no specifiers (systemd.unit(5)) in it."""
    if _PLAIN.fullmatch(word):
        return word
    try:
        word.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{word!r} is not UTF-8, which unit files have to be") from None
    return '"' + "".join(_escaped(char) for char in word) + '"'


def _address(endpoint: Endpoint) -> str:
    """As systemd.socket(5) has it: the zone of a link-local address stands behind the port."""
    host, _, zone = endpoint.host.partition("%")
    if zone and not _ZONE.fullmatch(zone):
        raise ValueError(f"{endpoint.host!r}: systemd takes no such zone")
    return f"{Endpoint(host, endpoint.port)}{f'%%{zone}' if zone else ''}"


def _escaped(char: str) -> str:
    if ord(char) in _PRINTABLE or ord(char) > _FIRST_BEYOND_ASCII:
        return _ESCAPES.get(char, char)
    return "".join(f"\\x{octet:02x}" for octet in char.encode())


def _template(name: str) -> str:
    return files(__package__).joinpath("units", name).read_text("utf-8")
