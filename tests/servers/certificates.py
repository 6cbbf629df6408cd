"""The tests' certificate authority, and the good and bad certificates it issues."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

HOST_NAME = "doh.test"  # what the tests' bootstrap servers know the upstreams by
NAME_IN_ZONE = (
    "doh.smartdoh.example"  # another, one that the proxy would send upstream if it were asked for it
)
IDENTITIES = ("127.0.0.1", "::1", HOST_NAME, NAME_IN_ZONE, "localhost")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A private key and its certificate chain, as files."""

    key: Path
    chain: Path

    def server_context(self, protocols: tuple[str, ...]) -> ssl.SSLContext:
        """A server's TLS context that offers these protocols by ALPN."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.chain, self.key)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


class Authority:
    """A certificate authority of its own; what it issues is written below its directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._authority = trustme.CA(organization_name="smartdoh tests")
        self.ca_file = directory / "ca.pem"
        directory.mkdir(parents=True, exist_ok=True)
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self.good = self.issue("good", *IDENTITIES)

    def issue(
        self, label: str, *identities: str, expired: bool = False, days: tuple[int, int] | None = None
    ) -> Certificate:
        """A certificate for these names and addresses; `expired` ones ended yesterday.

        `days` are the first and the last on which it is valid, counted from today.
        """
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        day = datetime.timedelta(days=1)
        first, last = days or (-30, -1)
        leaf = (
            self._authority.issue_cert(*identities, not_before=now + first * day, not_after=now + last * day)
            if expired or days
            else self._authority.issue_cert(*identities)
        )
        certificate = Certificate(self._directory / f"{label}.key", self._directory / f"{label}.pem")
        leaf.private_key_pem.write_to_path(str(certificate.key))
        certificate.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        certificate.key.chmod(0o644)  # a server that gives up root reads it too; it guards nothing
        return certificate
