"""What values of the config are made of: each kind knows how to read a value, and says what is allowed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import CoreSchema, core_schema

from smartdoh.config.addresses import Endpoint, Network, parse_endpoint, parse_network
from smartdoh.config.durations import parse_duration
from smartdoh.config.names import parse_domain, parse_qtype, parse_word
from smartdoh.config.sizes import parse_size
from smartdoh.config.urls import ProxyUrl, UpstreamUrl, parse_list_url, parse_proxy, parse_upstream

T = TypeVar("T")


class Schema(BaseModel):
    """A table of the config as it is written: unknown keys are errors, nothing is converted by guessing."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_default=True, defer_build=True
    )


def key(
    default: Any = ..., meaning: str = "", *, alias: str | None = None, min_length: int | None = None
) -> Any:
    """A key of a table: its default as the file would write it (none: it must be given), and its meaning."""
    return Field(default, description=meaning, alias=alias, min_length=min_length)


class RefusedValueError(ValueError):
    """A value that is not allowed: `reason` completes the sentence that begins with the value."""

    def __init__(self, reason: str, allowed: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


class Kind:
    """A kind of value: how it is read, and what is allowed."""

    __slots__ = ()

    @property
    def allowed(self) -> str:
        """What is allowed, for an error and for the reference."""
        raise NotImplementedError

    def read(self, value: object) -> object:
        """The value as the settings hold it. Raises TypeError or ValueError, with a reason."""
        raise NotImplementedError

    def _checked(self, value: object) -> object:
        try:
            return self.read(value)
        except (TypeError, ValueError) as error:
            raise RefusedValueError(str(error), self.allowed) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Pydantic asks this and then does not look into the annotated type: a faster start."""
        return core_schema.no_info_plain_validator_function(self._checked)


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """Text that `parse` reads."""

    parse: Callable[[str], object]
    accepts: str

    @property
    def allowed(self) -> str:
        """As it was given."""
        return self.accepts

    def read(self, value: object) -> object:
        """What `parse` makes of the text."""
        if not isinstance(value, str):
            raise TypeError("is not text in quotes")
        return self.parse(value)


@dataclass(frozen=True, slots=True)
class Between(Kind):
    """A duration within bounds that are written as durations."""

    shortest: str
    longest: str

    @property
    def allowed(self) -> str:
        """The range, and how a duration is written."""
        return f'"{self.shortest}" to "{self.longest}", in ms, s, m, h or d'

    def read(self, value: object) -> float:
        """Seconds."""
        if not isinstance(value, str):
            raise TypeError("is not a duration in quotes")
        seconds = parse_duration(value)
        if seconds < parse_duration(self.shortest):
            raise ValueError("is too short")
        if seconds > parse_duration(self.longest):
            raise ValueError("is too long")
        return seconds


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number within bounds."""

    least: int
    most: int

    @property
    def allowed(self) -> str:
        """The range."""
        return f"{self.least} to {self.most}"

    def read(self, value: object) -> int:
        """The number; `true` is not one here, though it is in Python."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError("is not a whole number")
        if not self.least <= value <= self.most:
            raise ValueError("is out of range")
        return value


@dataclass(frozen=True, slots=True)
class Octets(Kind):
    """A size within bounds that are written as sizes."""

    least: str
    most: str

    @property
    def allowed(self) -> str:
        """The range, and how a size is written."""
        return f'"{self.least}" to "{self.most}", in KiB, MiB, GiB or TiB'

    def read(self, value: object) -> int:
        """Octets."""
        if not isinstance(value, str):
            raise TypeError("is not a size in quotes")
        size = parse_size(value)
        if not parse_size(self.least) <= size <= parse_size(self.most):
            raise ValueError("is out of range")
        return size


def _parse_path(text: str) -> Path | None:
    if "\0" in text:
        raise ValueError("is not a path")
    return Path(text) if text else None


def _parse_place(text: str) -> Path | str | None:
    return text if text in ("", "none") else _parse_path(text)


def _parse_bootstrap(text: str) -> Endpoint | UpstreamUrl:
    if "://" not in text:
        return parse_endpoint(text)
    url = parse_upstream(text)
    if not url.is_address:
        raise ValueError("has a host name, which nothing could resolve")
    return url


def _optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: parse(text) if text else None


ListenAddress = Annotated[
    Endpoint,
    Text(parse_endpoint, "an address with a port, as 127.0.0.1:5553 or [::1]:5553; without a port, 53"),
]
BootstrapServer = Annotated[
    Endpoint | UpstreamUrl,
    Text(_parse_bootstrap, "1.1.1.1, 1.1.1.1:53, [2620:fe::fe]:53, https://ADDRESS/dns-query"),
]
NetworkText = Annotated[
    Network, Text(parse_network, "a network or an address, as 192.168.0.0/16, fd00::/8 or ::1")
]
Upstream = Annotated[
    UpstreamUrl,
    Text(parse_upstream, "https://HOST[:PORT][/PATH], the host a name or an address (IPv6 in brackets)"),
]
Proxy = Annotated[ProxyUrl | None, Text(_optional(parse_proxy), "http://, https://, socks5://, socks5h://")]
ListUrl = Annotated[str | None, Text(_optional(parse_list_url), "an https:// URL")]
FilePath = Annotated[Path | None, Text(_parse_path, "a path, relative to the config file")]
Place = Annotated[Path | str | None, Text(_parse_place, 'a directory, "none", or "" for the state directory')]
Domain = Annotated[
    str,
    Text(
        parse_domain, "a name in ASCII without a leading dot or star; it stands for itself and all below it"
    ),
]
Qtype = Annotated[str, Text(parse_qtype, "a record type, as A, AAAA, HTTPS or TYPE65")]
Word = Annotated[str, Text(parse_word, "letters, digits, _ and -")]
