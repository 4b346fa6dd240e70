/* A Modbus TCP slave on libmodbus, which knows nothing of this project.
 *
 * usage: modbus_slave UNITS DEAD [BITS WORD…]
 *
 * Listens on a free port of 127.0.0.1 and prints it. Units 1..UNITS have 125 registers, read with fc 3 and 4. Registers
 * 0 and 1 count how often that unit was read (high word first), every other one holds unit * 100 + its address, so that
 * a value says whose it is. With BITS (a text of 0 and 1) and words, every unit has just these from address 0 on, as
 * coils and inputs, holding and input registers. DEAD never answers. Ends when its standard input does.
 */
#include <arpa/inet.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNITS_MAX = 247, REGISTERS = 125, UNIT_AT = 6, FUNCTION_AT = 7 };

static modbus_mapping_t *units[UNITS_MAX + 1];
static uint32_t reads[UNITS_MAX + 1];

static void fill_with(int unit, const char *bits, char **words, int count)
{
    int size = strlen(bits);
    units[unit] = modbus_mapping_new(size, size, count, count);
    for (int at = 0; at < size; at++)
        units[unit]->tab_bits[at] = units[unit]->tab_input_bits[at] = bits[at] == '1';
    for (int at = 0; at < count; at++)
        units[unit]->tab_registers[at] = units[unit]->tab_input_registers[at] = atoi(words[at]);
}

static void fill(int unit)
{
    units[unit] = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
    for (int at = 0; at < REGISTERS; at++)
        units[unit]->tab_registers[at] = units[unit]->tab_input_registers[at] = unit * 100 + at;
}

static void count(int unit)
{
    uint32_t n = ++reads[unit];
    units[unit]->tab_registers[0] = units[unit]->tab_input_registers[0] = n >> 16;
    units[unit]->tab_registers[1] = units[unit]->tab_input_registers[1] = n & 0xffff;
}

/* One request; whether the connection goes on. */
static int answer(modbus_t *modbus, int connection, int last, int dead, int counting)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(modbus, connection);
    int length = modbus_receive(modbus, request);
    if (length < 0)
        return 0;
    int unit = request[UNIT_AT];
    if (length == 0 || unit == dead)
        return 1;
    if (unit < 1 || unit > last) {
        modbus_reply_exception(modbus, request, MODBUS_EXCEPTION_GATEWAY_TARGET);
        return 1;
    }
    int function = request[FUNCTION_AT];
    if (counting && (function == MODBUS_FC_READ_HOLDING_REGISTERS || function == MODBUS_FC_READ_INPUT_REGISTERS))
        count(unit);
    modbus_reply(modbus, request, length, units[unit]);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc < 5)
        return 2;
    int last = atoi(argv[1]), dead = atoi(argv[2]), counting = argc == 3;
    if (last < 1 || last > UNITS_MAX)
        return 2;
    for (int unit = 1; unit <= last; unit++)
        if (counting)
            fill(unit);
        else
            fill_with(unit, argv[3], argv + 4, argc - 4);
    modbus_t *modbus = modbus_new_tcp("127.0.0.1", 0);
    int listener = modbus_tcp_listen(modbus, 16);
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&here, &size) < 0) {
        perror("modbus_slave");
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
        if (FD_ISSET(STDIN_FILENO, &ready))
            return 0;
        for (int at = listener; at <= highest; at++) {
            if (!FD_ISSET(at, &ready))
                continue;
            if (at == listener) {
                int connection = accept(listener, NULL, NULL);
                if (connection < 0 || connection >= FD_SETSIZE)
                    return 1;
                FD_SET(connection, &open);
                highest = connection > highest ? connection : highest;
            } else if (!answer(modbus, at, last, dead, counting)) {
                close(at);
                FD_CLR(at, &open);
            }
        }
    }
}
