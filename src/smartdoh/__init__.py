"""smartdoh: plain DNS in, DNS over HTTPS out."""

__version__ = "0.1.0"
