"""Which certificate authorities are trusted: the system's, and those of a group's `ca_file` beside them."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

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
    """One file with every trusted certificate, as libcurl wants it; removed with this object if it was made here."""

    def __init__(self, ca_file: Path | None = None) -> None:
        """Raises OSError where `ca_file` cannot be read or no temporary file can be written."""
        system = system_bundle()
        self._made = None
        if ca_file is None:
            self.path = str(system) if system else ""
            return
        self._made = tempfile.NamedTemporaryFile(prefix="smartdoh-ca-", suffix=".pem")  # noqa: SIM115 - kept open
        if system:
            self._made.write(system.read_bytes() + b"\n")
        self._made.write(ca_file.read_bytes())
        self._made.flush()
        self.path = self._made.name

    def close(self) -> None:
        """Remove what was made here."""
        if self._made is not None:
            self._made.close()
            self._made = None
