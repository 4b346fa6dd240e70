/* A Modbus master on libmodbus, which knows nothing of this project.
 *
 * usage: modbus_master tcp ADDRESS PORT UNIT FUNCTION START COUNT
 *        modbus_master rtu PORT BAUD UNIT FUNCTION START COUNT
 *
 * Prints what it reads, one value a line: bits as 0 or 1; of registers the word, and, where another follows, the float
 * that libmodbus makes of both as ABCD, BADC, CDAB and DCBA. Exit 3: nobody answered.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    modbus_t *modbus = strcmp(argv[1], "tcp") == 0 ? modbus_new_tcp(argv[2], atoi(argv[3]))
                                                   : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
    int function = atoi(argv[5]), start = atoi(argv[6]), count = atoi(argv[7]);
    uint8_t bits[2000];
    uint16_t words[126] = {0};
    int got = -1;
    if (modbus == NULL || modbus_set_slave(modbus, atoi(argv[4])) < 0 || modbus_connect(modbus) < 0) {
        perror("modbus_master");
        return 1;
    }
    modbus_set_response_timeout(modbus, 10, 0);
    if (function == 1)
        got = modbus_read_bits(modbus, start, count, bits);
    else if (function == 2)
        got = modbus_read_input_bits(modbus, start, count, bits);
    else if (function == 3)
        got = modbus_read_registers(modbus, start, count, words);
    else if (function == 4)
        got = modbus_read_input_registers(modbus, start, count, words);
    if (got != count) {
        fprintf(stderr, "modbus_master: %s\n", modbus_strerror(errno));
        return 3;
    }
    for (int at = 0; at < count; at++) {
        if (function <= 2)
            printf("%d\n", bits[at]);
        else if (at + 1 == count)
            printf("%d\n", words[at]);
        else
            printf("%d %.9g %.9g %.9g %.9g\n", words[at], modbus_get_float_abcd(&words[at]),
                   modbus_get_float_badc(&words[at]), modbus_get_float_cdab(&words[at]), modbus_get_float_dcba(&words[at]));
    }
    return 0;
}
