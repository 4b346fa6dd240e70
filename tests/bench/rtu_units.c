/* Modbus RTU units on one line that answer as soon as the standard lets them: 3.5 characters after the request.
 *
 * usage: rtu_units PORT BAUD UNITS REGISTERS       8N1, units 1..UNITS, holding registers: unit * 100 + address
 *
 * They know functions 3, 5 and 6, and are silent for everything else. Prints "ready". Lines on standard input: "counts"
 * prints the reads of all units as one line of JSON, "dead N" takes a unit off the line, "back N" puts it back. Every
 * write is printed as it comes, with the moment (s, CLOCK_MONOTONIC) at which it was here. Ends when its input does.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { UNITS_MAX = 247, REQUEST = 8, TORN_MS = 50 };

static unsigned long reads[UNITS_MAX + 1];
static int dead[UNITS_MAX + 1];
static int line, units, registers;
static struct timespec gap;

static uint16_t checksum(const uint8_t *data, size_t size)
{
    uint16_t crc = 0xFFFF;
    while (size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1;
    }
    return crc;
}

static void answer(uint8_t *frame, size_t size)
{
    uint16_t crc = checksum(frame, size);
    frame[size] = crc & 0xFF;
    frame[size + 1] = crc >> 8;
    nanosleep(&gap, NULL);
    if (write(line, frame, size + 2) < 0)
        perror("rtu_units");
}

/* Whether eight bytes are a request at all; if so it is answered, or not, as the unit is. */
static int serve(const uint8_t *request)
{
    if (checksum(request, 6) != (request[6] | request[7] << 8))
        return 0;
    int unit = request[0], function = request[1], start = request[2] << 8 | request[3], count = request[4] << 8 | request[5];
    if (unit < 1 || unit > units || dead[unit])
        return 1;
    uint8_t frame[256];
    if (function == 3 && count >= 1 && start + count <= registers) {
        reads[unit]++;
        frame[0] = unit;
        frame[1] = function;
        frame[2] = 2 * count;
        for (int at = 0; at < count; at++) {
            frame[3 + 2 * at] = (unit * 100 + start + at) >> 8;
            frame[4 + 2 * at] = (unit * 100 + start + at) & 0xFF;
        }
        answer(frame, 3 + 2 * count);
    } else if (function == 5 || function == 6) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        printf("{\"wrote\": %d, \"at\": %ld.%09ld}\n", unit, (long)at.tv_sec, at.tv_nsec);
        fflush(stdout);
        memcpy(frame, request, 6);
        answer(frame, 6);
    }
    return 1;
}

static void hear(int torn)
{
    static uint8_t held[512];
    static size_t size;
    if (torn)
        size = 0;
    ssize_t got = read(line, held + size, sizeof held - size);
    if (got <= 0)
        return;
    size += got;
    while (size >= REQUEST) {
        size_t used = serve(held) ? REQUEST : 1;
        size -= used;
        memmove(held, held + used, size);
    }
}

static int obey(void)
{
    static char held[256];
    static size_t size;
    ssize_t got = read(STDIN_FILENO, held + size, sizeof held - 1 - size);
    if (got <= 0)
        return 0;
    size += got;
    held[size] = 0;
    for (char *end; (end = strchr(held, '\n')) != NULL;) {
        *end = 0;
        int unit = atoi(held + 5);
        if (strcmp(held, "counts") == 0) {
            printf("{\"reads\": {");
            for (int each = 1; each <= units; each++)
                printf("%s\"%d\": %lu", each == 1 ? "" : ", ", each, reads[each]);
            printf("}}\n");
            fflush(stdout);
        } else if (unit >= 1 && unit <= units) {
            dead[unit] = strncmp(held, "dead ", 5) == 0;
        }
        size -= end + 1 - held;
        memmove(held, end + 1, size + 1);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    gap.tv_nsec = 3.5 * 10 / atoi(argv[2]) * 1e9;
    units = atoi(argv[3]);
    registers = atoi(argv[4]);
    line = open(argv[1], O_RDWR | O_NOCTTY);
    struct termios raw;
    if (units < 1 || units > UNITS_MAX || line < 0 || tcgetattr(line, &raw) < 0) {
        perror("rtu_units");
        return 1;
    }
    cfmakeraw(&raw);
    tcsetattr(line, TCSANOW, &raw);
    printf("ready\n");
    fflush(stdout);
    double heard = 0;
    for (;;) {
        struct pollfd ready[] = {{line, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0)
            return 1;
        if (ready[1].revents && !obey())
            return 0;
        if (ready[0].revents & POLLIN) {
            struct timespec at;
            clock_gettime(CLOCK_MONOTONIC, &at);
            double now = at.tv_sec + at.tv_nsec / 1e9;
            hear(now - heard > TORN_MS / 1e3);
            heard = now;
        }
    }
}
