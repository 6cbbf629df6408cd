"""The cache on disk as lines that a person can read, whether the proxy runs or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import lmdb

from smartdoh.cache import records
from smartdoh.cache.disk import FILE_NAME
from smartdoh.cache.reader import OtherFormatError, OtherProcess
from smartdoh.cache.records import Place, Record
from smartdoh.cache.steady import SteadyClock, this_boot
from smartdoh.errors import ConfigError
from smartdoh.wire import names

Clock = Callable[[], float]


def export(directory: Path, boot: Clock, wall: Clock) -> Iterator[dict[str, Any]]:
    """Each answer in the cache on disk of `directory`, in the order of domains, as JSON knows it.

    `boot` is the cache's clock. Raises ConfigError where there is no cache that can be read.
    """
    path = directory / FILE_NAME
    try:
        reader = OtherProcess(path)
    except OtherFormatError as error:
        raise ConfigError("cache.dir", f"{str(path)!r} has another format: {error}") from error
    except (OSError, lmdb.Error) as error:
        raise ConfigError("cache.dir", f"{str(path)!r}: {error}") from error
    with reader:
        clock = SteadyClock(boot, wall, this_boot())
        clock.resume(reader.saved_clock())
        groups = reader.groups()
        for key, octets in reader.items():
            place, record = records.place_of(key), records.decode(key, octets)
            if place is not None and record is not None:
                yield shown(place, record, groups, clock())


def shown(place: Place, record: Record, groups: dict[bytes, str], now: float) -> dict[str, Any]:
    """One answer: `ttl` is what is left of it, negative once it is stale; `group` names those who were asked."""
    age = max(0, int(now - record.stored))
    message = _message(record.wire)
    return {
        "name": names.to_text(place.name),
        "type": dns.rdatatype.to_text(dns.rdatatype.RdataType.make(place.qtype)),
        "class": dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(place.qclass)),
        "do": place.do,
        "cd": place.cd,
        "group": groups.get(place.fingerprint),
        "from": record.source,
        "rcode": None if message is None else dns.rcode.to_text(message.rcode()),
        "ttl": record.lifetime - age,
        "age": age,
        "asked": record.asked,
        "records": None if message is None else _records(message),
    }


def _message(wire: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None


def _records(message: dns.message.Message) -> list[str]:
    sections = (*message.answer, *message.authority, *message.additional)
    return [line for rrset in sections for line in rrset.to_text().splitlines()]
