/* A Modbus TCP slave on libmodbus that counts: what a master read, lost, doubled or read stale shows in the values.
 *
 * usage: slave UNITS
 *
 * Listens on a free port of 127.0.0.1 and prints it. Units 1..UNITS have 125 holding registers and 64 coils. Registers
 * 0 and 1 hold how often the unit was read (high word first, this read included). With every read five of the others,
 * the next five of 2..124 in turn, go up by one from unit * 100 + their address: about 5 % change, each value says
 * whose it is, and a reader that missed a read has a gap.
 *
 * Lines on standard input: "counts" prints the reads of all units as one line of JSON; "dead N" makes unit N silent from
 * now on (0: none); "still" lets the registers stay as they are from now on. Every write is printed as it comes, with
 * the moment (s, CLOCK_MONOTONIC) at which it was here. It ends when its standard input does.
 */
#include <arpa/inet.h>
#include <modbus.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { UNITS_MAX = 247, REGISTERS = 125, COILS = 64, FIRST = 2, AT_ONCE = 5, UNIT_AT = 6, FUNCTION_AT = 7 };

static modbus_mapping_t *units[UNITS_MAX + 1];
static uint32_t reads[UNITS_MAX + 1];
static int last, dead, still;

static void count(int unit)
{
    uint16_t *registers = units[unit]->tab_registers;
    uint32_t before = reads[unit]++;
    if (still)
        return;
    for (int next = 0; next < AT_ONCE; next++)
        registers[FIRST + ((uint64_t)before * AT_ONCE + next) % (REGISTERS - FIRST)]++;
    registers[0] = reads[unit] >> 16;
    registers[1] = reads[unit] & 0xffff;
}

static void tell_write(int unit)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    printf("{\"wrote\": %d, \"at\": %ld.%09ld}\n", unit, (long)at.tv_sec, at.tv_nsec);
    fflush(stdout);
}

/* One request; whether the connection goes on. */
static int answer(modbus_t *modbus, int connection)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(modbus, connection);
    int length = modbus_receive(modbus, request);
    if (length < 0)
        return 0;
    int unit = request[UNIT_AT];
    if (length == 0 || (dead != 0 && unit == dead))
        return 1;
    if (unit < 1 || unit > last) {
        modbus_reply_exception(modbus, request, MODBUS_EXCEPTION_GATEWAY_TARGET);
        return 1;
    }
    if (request[FUNCTION_AT] == MODBUS_FC_READ_HOLDING_REGISTERS)
        count(unit);
    else if (request[FUNCTION_AT] > MODBUS_FC_READ_INPUT_REGISTERS)
        tell_write(unit);
    modbus_reply(modbus, request, length, units[unit]);
    return 1;
}

static void obey(char *line)
{
    if (strncmp(line, "dead ", 5) == 0) {
        dead = atoi(line + 5);
        return;
    }
    if (strcmp(line, "still") == 0) {
        still = 1;
        return;
    }
    printf("{\"reads\": [");
    for (int unit = 1; unit <= last; unit++)
        printf("%s%u", unit == 1 ? "" : ", ", reads[unit]);
    printf("]}\n");
    fflush(stdout);
}

/* Whatever stands on standard input; whether it goes on. */
static int listen_to_owner(void)
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
        obey(held);
        size -= end + 1 - held;
        memmove(held, end + 1, size + 1);
    }
    return 1;
}

int main(int argc, char **argv)
{
    last = argc == 2 ? atoi(argv[1]) : 0;
    if (last < 1 || last > UNITS_MAX)
        return 2;
    for (int unit = 1; unit <= last; unit++) {
        units[unit] = modbus_mapping_new(COILS, 0, REGISTERS, 0);
        for (int at = FIRST; at < REGISTERS; at++)
            units[unit]->tab_registers[at] = unit * 100 + at;
    }
    modbus_t *modbus = modbus_new_tcp("127.0.0.1", 0);
    int listener = modbus_tcp_listen(modbus, 16);
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&here, &size) < 0) {
        perror("slave");
        return 1;
    }
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);

    fd_set open;
    FD_ZERO(&open);
    FD_SET(STDIN_FILENO, &open);
    FD_SET(listener, &open);
    int highest = listener;
    for (;;) {
        fd_set ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0)
            return 1;
        if (FD_ISSET(STDIN_FILENO, &ready) && !listen_to_owner())
            return 0;
        for (int at = listener; at <= highest; at++) {
            if (!FD_ISSET(at, &ready))
                continue;
            if (at == listener) {
                int at_once = 1, connection = accept(listener, NULL, NULL);
                if (connection < 0 || connection >= FD_SETSIZE)
                    return 1;
                setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
                FD_SET(connection, &open);
                highest = connection > highest ? connection : highest;
            } else if (!answer(modbus, at)) {
                close(at);
                FD_CLR(at, &open);
            }
        }
    }
}
