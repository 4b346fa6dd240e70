/* A serial line between two ptys at real wire pace: a byte takes as long as its bits at the baud rate.
 *
 * usage: paced BAUD BITS
 *
 * Prints the paths of both ends, the master's first. A line "counts" on standard input prints one line of JSON:
 * "hurried", how often the master began less than 3.5 characters after the last byte of an answer; "collisions", how
 * often one end began while the other's bytes were on the line; "bytes" of both. It ends when its standard input does.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { HELD_MAX = 8192 };

static double character;

struct end {
    int pty;
    unsigned char held[HELD_MAX];
    size_t first, after;
    double next; /* when the first held byte has passed the line */
    double ended; /* when its last byte had passed */
};

static unsigned long hurried, collisions, bytes;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static void take(struct end *from, struct end *other, int master)
{
    unsigned char fresh[HELD_MAX];
    ssize_t got = read(from->pty, fresh, sizeof fresh);
    if (got <= 0)
        return;
    double at = now();
    int idle = from->first == from->after;
    if (idle) {
        if (other->first != other->after)
            collisions++;
        else if (master && other->ended > from->ended && at - other->ended < 3.5 * character)
            hurried++;
        from->first = from->after = 0;
        from->next = at + character;
    }
    if (from->after + got > HELD_MAX) {
        memmove(from->held, from->held + from->first, from->after - from->first);
        from->after -= from->first;
        from->first = 0;
    }
    if (from->after + got > HELD_MAX)
        got = HELD_MAX - from->after;
    memcpy(from->held + from->after, fresh, got);
    from->after += got;
}

/* Lets every byte go whose time has come. */
static void release(struct end *from, struct end *to)
{
    double at = now();
    while (from->first != from->after && from->next <= at) {
        if (write(to->pty, &from->held[from->first], 1) != 1)
            return;
        bytes++;
        from->first++;
        from->ended = from->next;
        from->next += character;
    }
}

static double earliest(const struct end *one, const struct end *two)
{
    double at = 0;
    if (one->first != one->after)
        at = one->next;
    if (two->first != two->after && (at == 0 || two->next < at))
        at = two->next;
    return at;
}

static int open_end(struct end *end, const char *last)
{
    char name[128];
    struct termios raw;
    int slave;
    if (openpty(&end->pty, &slave, name, NULL, NULL) < 0)
        return -1;
    /* The slave's descriptor stays open, so that an end that nobody uses yet does not look unplugged. */
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    printf("%s%s", name, last);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atof(argv[1]) <= 0)
        return 2;
    character = atof(argv[2]) / atof(argv[1]);
    static struct end master, slave;
    if (open_end(&master, " ") < 0 || open_end(&slave, "\n") < 0) {
        perror("paced");
        return 1;
    }
    fflush(stdout);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    for (;;) {
        struct itimerspec alarm = {0};
        double at = earliest(&master, &slave);
        if (at > 0) {
            alarm.it_value.tv_sec = at;
            alarm.it_value.tv_nsec = (at - alarm.it_value.tv_sec) * 1e9;
        }
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
        struct pollfd open[] = {{master.pty, POLLIN, 0}, {slave.pty, POLLIN, 0}, {timer, POLLIN, 0}, {0, POLLIN, 0}};
        if (poll(open, 4, -1) < 0)
            return 1;
        if (open[3].revents) {
            char line[64];
            if (read(STDIN_FILENO, line, sizeof line) <= 0)
                return 0;
            printf("{\"hurried\": %lu, \"collisions\": %lu, \"bytes\": %lu}\n", hurried, collisions, bytes);
            fflush(stdout);
        }
        release(&master, &slave);
        release(&slave, &master);
        if (open[0].revents & POLLIN)
            take(&master, &slave, 1);
        if (open[1].revents & POLLIN)
            take(&slave, &master, 0);
    }
}
