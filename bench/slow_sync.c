/*
 * A slower disk: a program that preloads this waits SLOW_SYNC_MICROSECONDS longer for each fsync and fdatasync.
 *
 *   cc -shared -fPIC -O2 -o slow_sync.so bench/slow_sync.c -ldl
 *   SLOW_SYNC_MICROSECONDS=1000 LD_PRELOAD=./slow_sync.so program
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void wait_as_the_disk_would(void)
{
    const char *text = getenv("SLOW_SYNC_MICROSECONDS");
    long microseconds = text ? atol(text) : 0;
    struct timespec left = { microseconds / 1000000, microseconds % 1000000 * 1000 };

    /* A signal must not make the disk faster. */
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

static int slowly(const char *name, int file)
{
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = sync(file);
    int error = errno;

    wait_as_the_disk_would();
    errno = error;
    return result;
}

int fsync(int file)
{
    return slowly("fsync", file);
}

int fdatasync(int file)
{
    return slowly("fdatasync", file);
}
