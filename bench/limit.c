/* The limit: one message to many WebSocket clients from one thread of C, with nothing else to do.
 *
 *   limit PORT PAYLOAD_BYTES
 *
 * Lines on standard input: `COUNT RATE BATCH` sends COUNT messages to every client, RATE a second (0: as fast as clients
 * take them), BATCH of them in one send; the number of the last message is written to standard output when it is done.
 * Messages carry the mark that bench/marks.py describes. Ends with standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 10000, PAYLOAD_MAX = 60000, BATCH_MAX = 256, FULL_WAIT_MS = 2000 };

static int clients[CLIENTS_MAX], client_count, poller, listener;
static uint64_t last_number;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static void leave(int fd)
{
    for (int i = 0; i < client_count; i++)
        if (clients[i] == fd) {
            clients[i] = clients[--client_count];
            break;
        }
    close(fd);
}

/* The load client does not look at the accept key, so none is computed. */
static void hear(int fd)
{
    static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: not computed\r\n\r\n";
    char data[4096];
    ssize_t got = recv(fd, data, sizeof data, MSG_DONTWAIT);
    if (got > 4 && !memcmp(data, "GET ", 4) && client_count < CLIENTS_MAX) {
        if (send(fd, accepted, sizeof accepted - 1, MSG_NOSIGNAL) > 0)
            clients[client_count++] = fd;
    } else if (got == 0 || (got < 0 && errno != EAGAIN)) {
        leave(fd);
    }
}

static void take_in(int wait_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, wait_ms), on = 1;
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        if (fd != listener) {
            if (fd != STDIN_FILENO)
                hear(fd);
            continue;
        }
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            watch(fd);
        }
    }
}

static int write_frame(char *into, int payload_bytes, uint64_t number)
{
    into[0] = (char)0x81;
    into[1] = 126;
    into[2] = (char)(payload_bytes >> 8);
    into[3] = (char)payload_bytes;
    memset(into + 4, 'x', (size_t)payload_bytes);
    char mark[64];
    int size = snprintf(mark, sizeof mark, "benchmark#S%012llu##T%019llu#", (unsigned long long)number,
                        (unsigned long long)now_ns());
    memcpy(into + 4 + payload_bytes / 2, mark, (size_t)size);
    return payload_bytes + 4;
}

static void send_all(int fd, const char *data, int size)
{
    for (int sent = 0; sent < size;) {
        ssize_t now = send(fd, data + sent, (size_t)(size - sent), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (now > 0) {
            sent += (int)now;
        } else if (errno == EAGAIN) {
            struct pollfd full = {fd, POLLOUT, 0};
            if (poll(&full, 1, FULL_WAIT_MS) <= 0)
                return;
        } else {
            return;
        }
    }
}

static void publish(uint64_t count, double rate, int batch, int payload_bytes)
{
    static char frames[BATCH_MAX * (PAYLOAD_MAX + 4)];
    uint64_t started = now_ns();
    for (uint64_t sent = 0; sent < count;) {
        uint64_t joined = count - sent < (uint64_t)batch ? count - sent : (uint64_t)batch;
        if (rate > 0) {
            /* A batch is due when the last message in it is. */
            uint64_t due = started + (uint64_t)((double)(sent + joined - 1) / rate * 1e9), now = now_ns();
            if (now < due) {
                uint64_t left = due - now;
                if (left > 1000000)
                    take_in((int)(left / 1000000));
                else
                    nanosleep(&(struct timespec){0, (long)left}, NULL);
                continue;
            }
        } else {
            take_in(0);
        }
        int size = 0;
        for (uint64_t i = 0; i < joined; i++)
            size += write_frame(frames + size, payload_bytes, ++last_number);
        for (int i = 0; i < client_count; i++)
            send_all(clients[i], frames, size);
        sent += joined;
    }
}

int main(int argc, char **argv)
{
    int payload_bytes = argc > 2 ? atoi(argv[2]) : 0, on = 1;
    if (payload_bytes < 200 || payload_bytes > PAYLOAD_MAX) {
        fprintf(stderr, "usage: limit PORT PAYLOAD_BYTES (200 to %d)\n", PAYLOAD_MAX);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 2048) < 0)
        die("listen");
    watch(listener);
    watch(STDIN_FILENO);
    for (;;) {
        struct pollfd command = {STDIN_FILENO, POLLIN, 0};
        take_in(1000);
        while (poll(&command, 1, 0) > 0) {
            char line[200];
            ssize_t size = read(STDIN_FILENO, line, sizeof line - 1); /* one line: the next waits for the answer */
            if (size <= 0)
                return 0;
            line[size] = 0;
            unsigned long long count;
            double rate;
            int batch;
            if (sscanf(line, "%llu %lf %d", &count, &rate, &batch) != 3 || batch < 1 || batch > BATCH_MAX)
                return 2;
            publish(count, rate, batch, payload_bytes);
            printf("%llu\n", (unsigned long long)last_number);
            fflush(stdout);
        }
    }
}
