"""A stream without an end: a client that does not read it is dropped, so that nothing is kept for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import cast

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

PATIENCE = 10.0  # seconds that a client may leave what is sent unread, once the socket's buffers are full
ABORT = "smartdoh.abort"
"""What the server calls the extension of ASGI that ends a connection at once."""


class Followed(StreamingResponse):
    """Streams until the client goes, or reads no more."""

    patience = PATIENCE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_soon(message: Message) -> None:
            async with asyncio.timeout(self.patience):
                await send(message)

        try:
            await super().__call__(scope, receive, send_soon)
        except TimeoutError:
            abort = cast("Callable[[], None]", scope["extensions"][ABORT])
            abort()  # what was sent would else be kept until the client goes
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()  # it may wait between two parts
