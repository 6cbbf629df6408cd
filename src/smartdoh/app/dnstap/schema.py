"""The messages of dnstap that are written here, described by their field numbers (https://dnstap.info)."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_INT32, _UINT32, _UINT64 = _FIELD.TYPE_INT32, _FIELD.TYPE_UINT32, _FIELD.TYPE_UINT64
_FIXED32, _BYTES, _MESSAGE = _FIELD.TYPE_FIXED32, _FIELD.TYPE_BYTES, _FIELD.TYPE_MESSAGE

PAYLOAD_MESSAGE = 1  # Dnstap.Type: the only one
CLIENT_RESPONSE = 6  # Message.Type
INET, INET6 = 1, 2  # SocketFamily
UDP, TCP = 1, 2  # SocketProtocol

# Enumerations are written as int32, which has the same encoding.
_DNSTAP = {
    "identity": (1, _BYTES),
    "version": (2, _BYTES),
    "extra": (3, _BYTES),
    "message": (14, _MESSAGE),
    "type": (15, _INT32),
}
_OF_MESSAGE = {
    "type": (1, _INT32),
    "socket_family": (2, _INT32),
    "socket_protocol": (3, _INT32),
    "query_address": (4, _BYTES),
    "response_address": (5, _BYTES),
    "query_port": (6, _UINT32),
    "response_port": (7, _UINT32),
    "query_time_sec": (8, _UINT64),
    "query_time_nsec": (9, _FIXED32),
    "query_message": (10, _BYTES),
    "response_time_sec": (12, _UINT64),
    "response_time_nsec": (13, _FIXED32),
    "response_message": (14, _BYTES),
}


def dnstap_class() -> Any:
    """The class `Dnstap`, whose field `message` is a `Message`; each has a pool of its own."""
    file = descriptor_pb2.FileDescriptorProto(name="dnstap.proto", package="dnstap", syntax="proto2")
    for name, fields in (("Message", _OF_MESSAGE), ("Dnstap", _DNSTAP)):
        described = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            of = ".dnstap.Message" if kind == _MESSAGE else None
            described.field.add(
                name=field, number=number, type=kind, type_name=of, label=_FIELD.LABEL_OPTIONAL
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("dnstap.Dnstap"))
