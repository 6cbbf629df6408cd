/* The limit: takes DNS questions in batches and sends each back with one address added. It looks nothing up and
 * keeps nothing, so no server that answers a datagram with a datagram can do it for less.
 *
 * usage: echo PORT          (on 127.0.0.1, UDP)
 *
 * The answer is the question with QR and RA set and one A record put behind the question, before the OPT record
 * where there is one: as long as what the servers answer. An OPT record has to be the last and without options,
 * as dnsperf writes it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BATCH = 64,
    BUFFER_BYTES = 1500,
    HEADER_BYTES = 12,
    LEAST_QUESTION_BYTES = HEADER_BYTES + 5, /* the root's name, type and class */
    OPT_BYTES = 11,
    SOCKET_BUFFER_BYTES = 4 << 20, /* what the peers are given */
};

/* A 203.0.113.7, TTL 3600, for the name of the question. */
static const unsigned char RECORD[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 203, 0, 113, 7};

static unsigned char buffers[BATCH][BUFFER_BYTES];
static struct sockaddr_in clients[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

/* Turns a question of `length` bytes into its answer; the new length. What is no question gets an empty datagram. */
static size_t answer(unsigned char *message, size_t length) {
    size_t tail = message[10] | message[11] ? OPT_BYTES : 0;
    if (length < LEAST_QUESTION_BYTES + tail || length > BUFFER_BYTES - sizeof RECORD)
        return 0;
    unsigned char *end = message + length - tail;
    memmove(end + sizeof RECORD, end, tail);
    memcpy(end, RECORD, sizeof RECORD);
    message[2] |= 0x80; /* QR; opcode and RD stay */
    message[3] = 0x80;  /* RA, NOERROR */
    message[7] = 1;     /* one answer */
    return length + sizeof RECORD;
}

static void prepare(void) {
    for (int i = 0; i < BATCH; i++) {
        parts[i].iov_base = buffers[i];
        parts[i].iov_len = BUFFER_BYTES;
        messages[i].msg_hdr.msg_name = &clients[i];
        messages[i].msg_hdr.msg_namelen = sizeof clients[i];
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

static int listening(int port) {
    int bytes = SOCKET_BUFFER_BYTES, sock = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("echo");
        exit(1);
    }
    return sock;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: echo PORT\n");
        return 2;
    }
    int sock = listening(atoi(arguments[1]));
    prepare();
    for (;;) {
        int received = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
        if (received < 0 && errno != EINTR) {
            perror("echo: recvmmsg");
            return 1;
        }
        for (int i = 0; i < received; i++)
            parts[i].iov_len = answer(buffers[i], messages[i].msg_len);
        for (int sent = 0, now; sent < received; sent += now)
            if ((now = sendmmsg(sock, messages + sent, received - sent, 0)) <= 0)
                break; /* what cannot be sent is lost, as datagrams are */
        for (int i = 0; i < received; i++) {
            parts[i].iov_len = BUFFER_BYTES;
            messages[i].msg_hdr.msg_namelen = sizeof clients[i];
        }
    }
}
