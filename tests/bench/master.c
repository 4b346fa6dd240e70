/* The limit in C: a libmodbus master that reads 125 registers of unit after unit, and does nothing with them.
 *
 * usage: master PORT UNITS SECONDS       prints reads a second and CPU seconds as one line of JSON
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { REGISTERS = 125 };

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int units = atoi(argv[2]);
    double seconds = atof(argv[3]);
    modbus_t *modbus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    if (modbus_connect(modbus) < 0) {
        perror("master");
        return 1;
    }
    uint16_t registers[REGISTERS];
    unsigned long reads = 0;
    double begin = now();
    while (now() - begin < seconds)
        for (int unit = 1; unit <= units; unit++) {
            modbus_set_slave(modbus, unit);
            if (modbus_read_registers(modbus, 0, REGISTERS, registers) != REGISTERS) {
                perror("master");
                return 1;
            }
            reads++;
        }
    double took = now() - begin;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"reads_s\": %.1f, \"cpu_s\": %.4f, \"reads\": %lu}\n", reads / took, cpu, reads);
    return 0;
}
