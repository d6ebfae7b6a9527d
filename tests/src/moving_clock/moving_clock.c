/* Moves the time of day of a process. Loaded by LD_PRELOAD.

   CLOCK_OFFSET=n  the time of day is n seconds later than it is; earlier if n is negative. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static time_t offset = 0;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

static void start(void) {
    *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *text = getenv("CLOCK_OFFSET");
    if (text && *text) offset = (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t which, struct timespec *at) {
    pthread_once(&once, start);
    int result = real_clock_gettime(which, at);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += offset;
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    if (result == 0) {
        at->tv_sec = now.tv_sec;
        at->tv_usec = (suseconds_t)(now.tv_nsec / 1000);
    }
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
