"""The yardstick: a process that sends every datagram back, to tell what the machine takes from what the proxy does."""

import socket

if __name__ == "__main__":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind(("127.0.0.1", 0))
        print(here.getsockname()[1], flush=True)
        while True:
            datagram, client = here.recvfrom(65_535)
            here.sendto(datagram, client)
