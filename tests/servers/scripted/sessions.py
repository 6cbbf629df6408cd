"""HTTP/2 and HTTP/1.1 as the scripted server speaks them: bytes to requests, replies to bytes."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import hyperframe.frame

from tests.servers.scripted.replies import ENDLESS_BLOCK, Ending, GoAway, Reply, Request

Handle = Callable[[Request], Reply]

LAST_STREAM_ID = 2**31 - 1
END_OF_HEADERS = b"\r\n\r\n"


@dataclass(slots=True)
class _Stream:
    """One HTTP/2 stream: what came in, and what is still to go out."""

    headers: tuple[tuple[str, str], ...]
    received: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)
    ending: Ending = Ending.WHOLE
    replied: bool = False


class Http2Session:
    """One HTTP/2 connection."""

    def __init__(self, transport: asyncio.Transport, number: int, handle: Handle, max_streams: int) -> None:
        self._transport = transport
        self._number = number
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._streams: dict[int, _Stream] = {}
        self._is_going_away = False
        self._last_served = LAST_STREAM_ID  # streams above it are ignored once a GOAWAY was sent
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: max_streams,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 65_536,
            },
        )
        self._h2.initiate_connection()
        self._flush()

    def receive(self, data: bytes) -> None:
        """Takes bytes from the connection."""
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()
            self._transport.close()
            return
        for event in events:
            with contextlib.suppress(h2.exceptions.ProtocolError):  # closed by the client meanwhile
                self._take(event)
        self._flush()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                headers = tuple((str(name), str(value)) for name, value in event.headers or ())
                self._streams[event.stream_id or 0] = _Stream(headers)
            case h2.events.DataReceived():
                self._streams[event.stream_id or 0].received += event.data or b""
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
            case h2.events.StreamEnded():
                self._answer(event.stream_id or 0)
            case h2.events.StreamReset():
                self._streams.pop(event.stream_id or 0, None)
            case h2.events.WindowUpdated():
                for stream_id in list(self._streams):
                    self._send_body(stream_id)
            case h2.events.ConnectionTerminated():
                self._transport.close()

    def _answer(self, stream_id: int) -> None:
        if stream_id > self._last_served:
            return
        stream = self._streams[stream_id]
        found = dict(stream.headers)
        request = Request(
            self._number,
            "HTTP/2",
            found[":method"],
            found[":path"],
            tuple(pair for pair in stream.headers if not pair[0].startswith(":")),
            bytes(stream.received),
        )
        reply = self._handle(request)
        if reply.goaway is not None:
            self._go_away(stream_id, reply.goaway)
        if reply.delay:
            self._loop.call_later(reply.delay, self._reply_later, stream_id, reply)
        else:
            self._reply(stream_id, reply)

    def _go_away(self, stream_id: int, how: GoAway) -> None:
        """Written by hand: h2 itself would let nothing more be sent after it."""
        last = {GoAway.BEFORE: 0, GoAway.HERE: stream_id, GoAway.AFTER: LAST_STREAM_ID}[how]
        self._flush()
        self._transport.write(hyperframe.frame.GoAwayFrame(0, last_stream_id=last, error_code=0).serialize())
        self._last_served, self._is_going_away = last, True
        for other in [key for key in self._streams if key > last]:
            del self._streams[other]
        self._close_if_done()

    def _reply_later(self, stream_id: int, reply: Reply) -> None:
        if not self._transport.is_closing():
            with contextlib.suppress(h2.exceptions.ProtocolError):
                self._reply(stream_id, reply)
            self._flush()

    def _reply(self, stream_id: int, reply: Reply) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:  # the client gave it up, or a GOAWAY did
            return
        if reply.ending is Ending.STALL:
            return
        if reply.ending is Ending.DROP:
            self._transport.abort()
            return
        if reply.ending is Ending.REFUSED:
            self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
            del self._streams[stream_id]
            return
        self._h2.send_headers(stream_id, [(":status", str(reply.status)), *reply.all_headers()])
        is_whole = reply.ending is Ending.WHOLE
        stream.outgoing += reply.body if is_whole else reply.body[: len(reply.body) // 2]
        stream.ending = reply.ending
        stream.replied = True
        self._send_body(stream_id)

    def _send_body(self, stream_id: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None or not stream.replied:
            return
        while True:
            if stream.ending is Ending.ENDLESS and not stream.outgoing:
                stream.outgoing += ENDLESS_BLOCK
            window = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if not stream.outgoing or window <= 0:
                break
            self._h2.send_data(stream_id, bytes(stream.outgoing[:window]))
            del stream.outgoing[:window]
        if not stream.outgoing and stream.ending is not Ending.HALF:
            self._end(stream_id, stream.ending)

    def _end(self, stream_id: int, how: Ending) -> None:
        if how is Ending.RESET:
            self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
        else:
            self._h2.end_stream(stream_id)
        del self._streams[stream_id]
        self._close_if_done()

    def _close_if_done(self) -> None:
        """After a GOAWAY the connection lives until its last stream is answered."""
        if self._is_going_away and not self._streams:
            self._flush()
            self._transport.close()

    def _flush(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._h2.data_to_send())


class Http1Session:
    """One HTTP/1.1 connection, one request after the other."""

    def __init__(self, transport: asyncio.Transport, number: int, handle: Handle) -> None:
        self._transport = transport
        self._number = number
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()

    def receive(self, data: bytes) -> None:
        """Takes bytes from the connection."""
        self._buffer += data
        end = self._buffer.find(END_OF_HEADERS)
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = tuple((name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines))
        start = end + len(END_OF_HEADERS)
        length = int(dict(headers).get("content-length", "0"))
        if len(self._buffer) < start + length:
            return
        content = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        method, path, _ = first.split(" ")
        reply = self._handle(Request(self._number, "HTTP/1.1", method, path, headers, content))
        if reply.delay:
            self._loop.call_later(reply.delay, self._reply, reply)
        else:
            self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        if reply.ending is Ending.STALL or self._transport.is_closing():
            return
        if reply.ending in {Ending.DROP, Ending.REFUSED, Ending.RESET}:
            self._transport.abort()
            return
        head = "".join(f"{name}: {value}\r\n" for name, value in reply.all_headers())
        self._transport.write(f"HTTP/1.1 {reply.status} x\r\n{head}\r\n".encode())
        if reply.ending is Ending.ENDLESS:
            self._send_endless()
            return
        is_whole = reply.ending is Ending.WHOLE
        self._transport.write(reply.body if is_whole else reply.body[: len(reply.body) // 2])
        if reply.ending is Ending.CUT or reply.goaway is not None:
            self._transport.close()

    def _send_endless(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() < len(ENDLESS_BLOCK):
            self._transport.write(ENDLESS_BLOCK)
        self._loop.call_later(0.001, self._send_endless)
