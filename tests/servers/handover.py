"""Runs a command with listening sockets as its descriptors 3 and up, as systemd does (sd_listen_fds(3)).

python tests/servers/handover.py FD[,FD...] COMMAND [ARGUMENT...]
"""

import fcntl
import os
import sys

FIRST = 3  # SD_LISTEN_FDS_START
OUT_OF_THE_WAY = 100


def main() -> None:
    """Puts the descriptors in place and becomes the command; its pid is the one that LISTEN_PID names."""
    given = [int(number) for number in sys.argv[1].split(",")]
    aside = [fcntl.fcntl(number, fcntl.F_DUPFD, OUT_OF_THE_WAY) for number in given]
    for place, number in enumerate(aside, FIRST):
        os.dup2(number, place)
        os.close(number)
    os.environ["LISTEN_FDS"] = str(len(given))
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
