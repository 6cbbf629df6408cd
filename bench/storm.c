/* Questions for names that do not exist, as many as are wanted, from many clients at once; answers are counted.
 *
 * usage: storm PORT COUNT RATE ZONES CLIENTS SEED      (from 127.0.1.1 on, to 127.0.0.1, UDP)
 *
 * COUNT questions for nxSEED-N.fZ.example, Z below ZONES, at RATE a second, or as fast as they can be sent where that
 * is 0. In the end it waits a second for late answers and prints: sent NOERROR NXDOMAIN SERVFAIL others. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 32, BYTES = 512, MOST_CLIENTS = 250, NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3, OTHERS = 16 };

static unsigned char out[BATCH][BYTES], in[BATCH][BYTES];
static struct iovec out_parts[BATCH], in_parts[BATCH];
static struct mmsghdr out_messages[BATCH], in_messages[BATCH];
static unsigned long counts[OTHERS + 1];

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static unsigned char *label(unsigned char *at, const char *format, unsigned one, unsigned long two) {
    at[0] = sprintf((char *)at + 1, format, one, two);
    return at + 1 + at[0];
}

/* The question with this number; its length. */
static size_t compose(unsigned char *wire, unsigned long number, unsigned zones, unsigned seed) {
    static const unsigned char HEADER[12] = {0, 0, 1, 0, 0, 1}, END[] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1};
    memcpy(wire, HEADER, sizeof HEADER);
    wire[0] = number >> 8;
    wire[1] = number;
    unsigned char *at = label(wire + sizeof HEADER, "nx%u-%lu", seed, number);
    at = label(at, "f%u", number % zones, 0);
    memcpy(at, END, sizeof END);
    return at + sizeof END - wire;
}

static void take(int sock) {
    int taken;
    while ((taken = recvmmsg(sock, in_messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
        for (int i = 0; i < taken; i++) {
            unsigned rcode = in[i][3] & 15;
            counts[rcode == NOERROR || rcode == SERVFAIL || rcode == NXDOMAIN ? rcode : OTHERS]++;
        }
}

static int client(unsigned number, int port) {
    int bytes = 4 << 20, sock = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET}, server = {.sin_family = AF_INET, .sin_port = htons(port)};
    own.sin_addr.s_addr = htonl(0x7f000101 + number);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (sock < 0 || bind(sock, (void *)&own, sizeof own) < 0 || connect(sock, (void *)&server, sizeof server) < 0) {
        perror("storm");
        exit(1);
    }
    return sock;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: storm PORT COUNT RATE ZONES CLIENTS SEED\n");
        return 2;
    }
    unsigned long wanted = strtoul(arguments[2], NULL, 10), sent = 0;
    double rate = atof(arguments[3]), began = seconds();
    unsigned zones = atoi(arguments[4]), clients = atoi(arguments[5]), seed = atoi(arguments[6]);
    int socks[MOST_CLIENTS];
    for (unsigned i = 0; i < clients && i < MOST_CLIENTS; i++)
        socks[i] = client(i, atoi(arguments[1]));
    for (int i = 0; i < BATCH; i++) {
        out_parts[i].iov_base = out[i];
        in_parts[i] = (struct iovec){in[i], BYTES};
        out_messages[i].msg_hdr = (struct msghdr){.msg_iov = &out_parts[i], .msg_iovlen = 1};
        in_messages[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
    }
    for (unsigned turn = 0; sent < wanted; turn++) {
        int sock = socks[turn % clients], batch = rate ? 1 : BATCH;
        for (int i = 0; i < batch; i++)
            out_parts[i].iov_len = compose(out[i], sent + i, zones, seed);
        int done = sendmmsg(sock, out_messages, batch, 0);
        sent += done > 0 ? done : 0;
        take(sock);
        double ahead = rate ? sent / rate - (seconds() - began) : 0;
        if (ahead > 0)
            nanosleep(&(struct timespec){.tv_nsec = ahead < 0.1 ? ahead * 1e9 : 1e8}, NULL);
    }
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    for (unsigned i = 0; i < clients; i++)
        take(socks[i]);
    printf("%lu %lu %lu %lu %lu\n", sent, counts[NOERROR], counts[NXDOMAIN], counts[SERVFAIL], counts[OTHERS]);
    return 0;
}
