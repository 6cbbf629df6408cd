"""Disks that are full, cannot be written, are slow, or lose power in the middle of a write; files that are broken."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import dns.message

from smartdoh.cache.disk import FILE_NAME
from tests.faults.fault import Fault, New
from tests.faults.rows.worlds import on_disk
from tests.faults.stage import HOT, Stage
from tests.servers.zone import full_name

SOURCE = Path(__file__).parents[1] / "slow_disk.c"
KILLS = 6
LONGEST_LIFE = 0.8  # seconds from a start to the kill
READY_WITHIN = 6.0  # seconds that a start may take on a busy machine, most of which Python takes
FLOOD = 400  # questions before a kill
LIST = "".join(f"blocked{number}.example\n" for number in range(20_000))
LIST_FILE = "blocked.txt"


def in_a_small_place(stage: Stage, options: str) -> list[str]:
    """A command that runs the proxy with a file system of its own for the cache."""
    script = 'mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(stage.cache), options]


def small_disk(stage: Stage) -> None:
    """The cache on a disk of 2 MiB."""
    stage.add_upstream()
    stage.cache.mkdir()
    stage.serve(sections={"cache": {"dir": stage.cache}}, prefix=in_a_small_place(stage, "size=2m"))


def read_only_disk(stage: Stage) -> None:
    """The cache on a disk that cannot be written."""
    stage.add_upstream()
    stage.cache.mkdir()
    stage.serve(sections={"cache": {"dir": stage.cache}}, prefix=in_a_small_place(stage, "ro"))


def slow_disk(stage: Stage) -> None:
    """A cache on disk, and a process whose writes can be delayed."""
    library = stage.directory / "slow_disk.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    stage.add_upstream()
    env = {"LD_PRELOAD": str(library), "SLOW_DISK": str(stage.directory / "slow")}
    stage.serve(sections={"cache": {"dir": stage.cache}}, env=env)


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Something else fills the disk."""
    filler = Path(f"/proc/{stage.proxy.pid}/root{stage.cache}/filler")
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    yield
    filler.unlink()


@contextmanager
def slow(stage: Stage) -> Iterator[None]:
    """Every write to disk takes half a second."""
    mark = stage.directory / "slow"
    mark.touch()
    yield
    mark.unlink()


@contextmanager
def nothing(_: Stage) -> Iterator[None]:
    """The fault is in the world."""
    yield


def broken(change: Callable[[bytes], bytes]) -> Callable[[Stage], AbstractContextManager[None]]:
    """The proxy finds its cache changed when it starts again."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        file = stage.cache / FILE_NAME
        stage.restart(then=lambda: file.write_bytes(change(file.read_bytes())))
        yield

    return during


def flood(stage: Stage, word: str) -> None:
    """Ask for many new names, and wait for none of them."""
    with stage.proxy.udp_socket() as client:
        for number in range(FLOOD):
            query = dns.message.make_query(full_name(f"{word}-{number}.wild"), "A")
            client.send(query.to_wire())


@contextmanager
def killed(stage: Stage) -> Iterator[None]:
    """Power cuts in the middle of writing; after each the proxy is up soon, and answers from what it has."""
    for number in range(KILLS):
        flood(stage, f"kill{number}")
        time.sleep(random.uniform(0.0, LONGEST_LIFE))
        took = stage.restart_at_once()
        assert took <= READY_WITHIN, f"ready after {took:.1f} s"
        answer = stage.proxy.udp(dns.message.make_query(HOT[number], "A"))
        assert answer.answer, f"after a kill: {answer}"
    yield


def with_list(stage: Stage) -> None:
    """A list of names in a local file, which is watched."""
    file = stage.directory / LIST_FILE
    file.write_text(LIST)
    stage.add_upstream()
    stage.serve(
        sections={
            "routing": {"default": "main", "rules": [{"list": "ads", "action": "block"}]},
            "lists.ads": {"file": file},
        }
    )


@contextmanager
def list_broken(stage: Stage) -> Iterator[None]:
    """The list's file turns into rubbish, and back."""
    file = stage.directory / LIST_FILE
    file.write_bytes(os.urandom(100_000))
    yield
    file.write_text(LIST)


def config_of(stage: Stage) -> Path:
    """The file that the running proxy reads its config from."""
    return stage.proxy.process.log_file.parent / "smartdoh.toml"


@contextmanager
def config_broken(stage: Stage) -> Iterator[None]:
    """The config is broken when it is read again; the old one stays in force."""
    file = config_of(stage)
    right = file.read_bytes()
    file.write_bytes(right[: len(right) // 2])
    for _ in range(3):
        stage.proxy.process.send(signal.SIGHUP)
        time.sleep(0.3)
    yield
    file.write_bytes(right)
    stage.proxy.process.send(signal.SIGHUP)


FAULTS = (
    Fault(name="disk full", world=small_disk, during=full, new=New.DATA, new_within=2.0),
    Fault(name="disk read-only", world=read_only_disk, during=nothing, new=New.DATA, new_within=2.0),
    Fault(name="disk slow", world=slow_disk, during=slow, new=New.DATA, new_within=2.0),
    Fault(
        name="cache is garbage",
        world=on_disk,
        during=broken(lambda content: os.urandom(len(content))),
        new=New.DATA,
        new_within=2.0,
    ),
    Fault(
        name="cache cut off",
        world=on_disk,
        during=broken(lambda content: content[:10_000]),
        new=New.DATA,
        new_within=2.0,
    ),
    Fault(name="kill -9 while writing", world=on_disk, during=killed, new=New.DATA, new_within=2.0),
    Fault(name="config broken, reload", world=on_disk, during=config_broken, new=New.DATA, new_within=2.0),
    Fault(name="list broken", world=with_list, during=list_broken, new=New.DATA, new_within=2.0),
)
