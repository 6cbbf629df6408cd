/* Makes writes to a disk slow: preloaded into a process, it delays them for as long as the file SLOW_DISK names exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void)
{
    static const struct timespec delay = {0, 500 * 1000 * 1000};
    const char *file = getenv("SLOW_DISK");
    if (file != NULL && access(file, F_OK) == 0)
        nanosleep(&delay, NULL);
}

int fdatasync(int descriptor)
{
    static int (*real)(int);
    if (real == NULL)
        real = dlsym(RTLD_NEXT, "fdatasync");
    wait_for_the_disk();
    return real(descriptor);
}

int fsync(int descriptor)
{
    static int (*real)(int);
    if (real == NULL)
        real = dlsym(RTLD_NEXT, "fsync");
    wait_for_the_disk();
    return real(descriptor);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (real == NULL)
        real = dlsym(RTLD_NEXT, "pwrite");
    wait_for_the_disk();
    return real(descriptor, bytes, count, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t at)
{
    return pwrite(descriptor, bytes, count, at);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at)
{
    static ssize_t (*real)(int, const struct iovec *, int, off_t);
    if (real == NULL)
        real = dlsym(RTLD_NEXT, "pwritev");
    wait_for_the_disk();
    return real(descriptor, parts, count, at);
}
