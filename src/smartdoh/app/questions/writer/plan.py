"""What the writer process is told when it starts, as JSON on its standard input.

A command line can be read by anybody, and is too short for many excluded names.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WriterPlan:
    """Where records come from and where they go."""

    proxy: int  # descriptor of the socket to the proxy; that it closes is the proxy's end
    socket: str  # where other workers connect; empty: there are none
    outputs: dict[str, dict[str, Any]]  # settings by kind, see `outputs`
    log_level: str
    log_as_text: bool

    def to_json(self) -> str:
        """For the writer's standard input."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> WriterPlan:
        """What `to_json` wrote."""
        return cls(**json.loads(text))
