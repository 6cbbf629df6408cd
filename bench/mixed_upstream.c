/* An upstream whose questions say what it is to answer, and when: the realistic mix of names.
 *
 * usage: mixed_upstream PORT          (on 127.0.0.1, UDP; dnsdist stands before it and speaks DoH)
 *
 * The first label of a name is KIND NUMBER "-" DELAY "-" TTL, as bench/mixture.py writes it: kind "m" is answered
 * with one record of the type asked (A, AAAA, HTTPS; nothing for others), kind "x" with NXDOMAIN and a SOA record;
 * DELAY milliseconds after it came, with a TTL of so many seconds. Other names, with which some servers try whether it
 * is there, are answered at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    SLOTS = 1024, /* milliseconds: the longest delay, and a power of two */
    WAITING = 1 << 17,
    BATCH = 64,
    BYTES = 512,
    HEADER_BYTES = 12,
    ROOM = 64, /* for the record and OPT behind the question */
    LONGEST_QUESTION = BYTES - ROOM,
};
enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_AAAA = 28, TYPE_HTTPS = 65, NXDOMAIN = 3 };

/* An answer that waits for its millisecond. */
struct answer {
    struct answer *next;
    struct sockaddr_in client;
    size_t length;
    unsigned char wire[BYTES];
};

static struct answer pool[WAITING];
static struct answer *unused;
static struct answer *slots[SLOTS];

static const unsigned char ADDRESS4[] = {203, 0, 113, 7};
static const unsigned char ADDRESS6[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
static const unsigned char SERVICE[] = {0, 1, 0, 0, 1, 0, 3, 2, 'h', '2'}; /* 1 . alpn=h2 */
static const unsigned char OPT[] = {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0};  /* 1232 bytes, no options */

static unsigned long long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static unsigned char *put16(unsigned char *at, unsigned value) {
    at[0] = value >> 8;
    at[1] = value;
    return at + 2;
}

static unsigned char *put32(unsigned char *at, unsigned value) {
    return put16(put16(at, value >> 16), value & 0xffff);
}

static unsigned char *record(unsigned char *at, unsigned name, unsigned type, unsigned ttl,
                             const unsigned char *data, unsigned length) {
    at = put16(put16(put16(at, 0xc000 | name), type), 1);
    at = put16(put32(at, ttl), length);
    memcpy(at, data, length);
    return at + length;
}

/* The bytes of header and question, 0 where it is no question we know how to read. */
static size_t question_end(const unsigned char *wire, size_t length) {
    size_t at = HEADER_BYTES;
    while (at < length && wire[at])
        at += wire[at] + 1;
    return at + 5 <= length && at + 5 <= LONGEST_QUESTION ? at + 5 : 0;
}

/* Makes the answer in place; the milliseconds it has to wait, -1 for what gets none. */
static int compose(struct answer *found, size_t length) {
    unsigned char *wire = found->wire, label[64] = {0}, soa[22] = {0};
    size_t end = length > HEADER_BYTES ? question_end(wire, length) : 0;
    unsigned delay, ttl;
    char kind;
    if (!end || wire[HEADER_BYTES] > 63)
        return -1;
    memcpy(label, wire + HEADER_BYTES + 1, wire[HEADER_BYTES]);
    if (sscanf((char *)label, "%c%*u-%u-%u", &kind, &delay, &ttl) != 3 || delay >= SLOTS - 1)
        kind = 'm', delay = 0, ttl = 3600;
    unsigned type = wire[end - 4] << 8 | wire[end - 3], has_opt = wire[10] | wire[11];
    unsigned parent = HEADER_BYTES + 1 + wire[HEADER_BYTES], answers = 1;
    unsigned char *at = wire + end;
    if (kind == 'x') {
        put32(soa + 18, ttl); /* MINIMUM; the names are the root */
        at = record(at, parent, TYPE_SOA, ttl, soa, sizeof soa);
    } else if (type == TYPE_A)
        at = record(at, HEADER_BYTES, type, ttl, ADDRESS4, sizeof ADDRESS4);
    else if (type == TYPE_AAAA)
        at = record(at, HEADER_BYTES, type, ttl, ADDRESS6, sizeof ADDRESS6);
    else if (type == TYPE_HTTPS)
        at = record(at, HEADER_BYTES, type, ttl, SERVICE, sizeof SERVICE);
    else
        answers = 0;
    wire[2] |= 0x80;
    wire[3] = 0x80 | (kind == 'x' ? NXDOMAIN : 0);
    put16(wire + 6, kind == 'x' ? 0 : answers);
    put16(wire + 8, kind == 'x');
    put16(wire + 10, has_opt ? 1 : 0);
    if (has_opt)
        at = (unsigned char *)memcpy(at, OPT, sizeof OPT) + sizeof OPT;
    found->length = at - wire;
    return delay;
}

/* Takes what came; each answer goes into the slot of its millisecond, never too early. The number taken. */
static int take(int sock) {
    unsigned long long now = milliseconds();
    int taken = 0;
    for (; taken < BATCH && unused; taken++) {
        struct answer *found = unused;
        socklen_t size = sizeof found->client;
        ssize_t length =
            recvfrom(sock, found->wire, LONGEST_QUESTION, MSG_DONTWAIT, (struct sockaddr *)&found->client, &size);
        if (length < 0)
            break;
        int delay = compose(found, length);
        if (delay < 0)
            continue;
        unused = found->next;
        struct answer **slot = &slots[(now + delay + 1) % SLOTS];
        found->next = *slot;
        *slot = found;
    }
    return taken;
}

static void send_due(int sock, unsigned long long millisecond) {
    struct answer *found = slots[millisecond % SLOTS];
    slots[millisecond % SLOTS] = NULL;
    while (found) {
        struct answer *next = found->next;
        sendto(sock, found->wire, found->length, 0, (struct sockaddr *)&found->client, sizeof found->client);
        found->next = unused;
        unused = found;
        found = next;
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: mixed_upstream PORT\n");
        return 2;
    }
    int bytes = 4 << 20, sock = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof address) < 0) {
        perror("mixed_upstream");
        return 1;
    }
    for (int i = 0; i < WAITING; i++) {
        pool[i].next = unused;
        unused = &pool[i];
    }
    struct pollfd readable = {.fd = sock, .events = POLLIN};
    for (unsigned long long sent = milliseconds();;) {
        poll(&readable, 1, 1);
        while (take(sock) == BATCH)
            ;
        for (unsigned long long now = milliseconds(); sent < now;)
            send_due(sock, ++sent);
    }
}
