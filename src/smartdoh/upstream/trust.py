"""Which certificate authorities are trusted: the system's, and those of a group's `ca_file` beside them."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import IO, cast

_USUAL_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def system_bundle() -> Path | None:
    """The file with the system's trusted certificates; libcurl's wheels are built without knowing where it is."""
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.cafile, *_USUAL_BUNDLES):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    return None


class TrustStore:
    """One file with every trusted certificate, as libcurl wants it, at `path`; empty where there are none."""

    def __init__(self, ca_file: Path | None = None) -> None:
        """Raises OSError where `ca_file` cannot be read or no file can be made."""
        system = system_bundle()
        self._made: IO[bytes] | None = None
        self.path = str(system) if system else ""
        if ca_file is None:
            return
        bundle = (system.read_bytes() + b"\n" if system else b"") + ca_file.read_bytes()
        self._made, self.path = _private_file()
        self._made.write(bundle)
        self._made.flush()

    def close(self) -> None:
        """Remove what was made here."""
        if self._made is not None:
            self._made.close()
            self._made = None


def _private_file() -> tuple[IO[bytes], str]:
    """A file that goes with the process, however that ends: in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        made = os.fdopen(os.memfd_create("smartdoh-ca"), "wb")
        return made, f"/proc/self/fd/{made.fileno()}"
    named = tempfile.NamedTemporaryFile(prefix="smartdoh-ca-", suffix=".pem")  # noqa: SIM115 - kept open
    return cast("IO[bytes]", named), named.name  # the wrapper, not its file: that closes with the wrapper
