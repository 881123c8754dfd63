/* Faults of a medium, for `LD_PRELOAD`: what the C library does with the file that FAULT_FILE names goes wrong as FAULT says.
 *
 *   eio N       reading at byte N and behind it fails
 *   eintr       every other call is interrupted
 *   short       calls do a few bytes only
 *   truncate, append, overwrite    the file changes before it is read for the first time
 *   rot N       byte N of every file below FAULT_FILE is written as another one
 *   refuse N E  the Nth and every later writing of any file fails with the error number E
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls, changes, writings;

static int is(const char *fault) {
    const char *asked = getenv("FAULT");
    return asked && strncmp(asked, fault, strlen(fault)) == 0;
}

static long number(int which) {
    long numbers[2] = {0, 0};
    sscanf(getenv("FAULT"), "%*s %ld %ld", &numbers[0], &numbers[1]);
    return numbers[which];
}

static int is_meant(int fd) {
    char link[64], path[4096];
    const char *meant = getenv("FAULT_FILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!meant || length < 0)
        return 0;
    path[length] = 0;
    return is("rot") ? strncmp(path, meant, strlen(meant)) == 0 : strcmp(path, meant) == 0;
}

static void change(void) {
    if (atomic_fetch_add(&changes, 1))
        return;
    struct timespec tick = {0, 30000000};
    nanosleep(&tick, NULL);
    int fd = open(getenv("FAULT_FILE"), O_WRONLY);
    struct stat found;
    fstat(fd, &found);
    if (is("truncate"))
        (void)!ftruncate(fd, found.st_size / 2);
    if (is("append"))
        (void)!syscall(SYS_pwrite64, fd, "more", 4, found.st_size);
    if (is("overwrite"))
        (void)!syscall(SYS_pwrite64, fd, "\1\2\3\4", 4, found.st_size / 2);
    close(fd);
}

/* Whether the call fails; else how many bytes it may do at most. */
static int fails(int fd, size_t *count, off_t offset) {
    if (!is_meant(fd))
        return 0;
    if (is("eio") && offset + (off_t)*count > number(0)) {
        errno = EIO;
        return 1;
    }
    if (is("eintr") && atomic_fetch_add(&calls, 1) % 2 == 0) {
        errno = EINTR;
        return 1;
    }
    if (is("short") && *count > 3)
        *count = 1 + atomic_fetch_add(&calls, 1) % (*count < 4096 ? *count : 4096);
    if (is("truncate") || is("append") || is("overwrite"))
        change();
    return 0;
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
    return fails(fd, &count, offset) ? -1 : syscall(SYS_pread64, fd, bytes, count, offset);
}

ssize_t read(int fd, void *bytes, size_t count) {
    return fails(fd, &count, lseek(fd, 0, SEEK_CUR)) ? -1 : syscall(SYS_read, fd, bytes, count);
}

static int refuses(int fd) {
    struct stat found;
    if (!is("refuse") || fstat(fd, &found) || !S_ISREG(found.st_mode) || atomic_fetch_add(&writings, 1) + 1 < number(0))
        return 0;
    errno = (int)number(1);
    return 1;
}

/* A medium that takes everything and keeps something else; the page cache knows nothing of that, so it keeps it too. */
static ssize_t rotten(int fd, const char *bytes, size_t count, off_t offset) {
    char *other = malloc(count);
    memcpy(other, bytes, count);
    other[number(0) - offset] ^= 1;
    ssize_t done = syscall(SYS_write, fd, other, count);
    free(other);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    off_t offset = is("rot") ? lseek(fd, 0, SEEK_CUR) : 0;
    if (is("rot") && offset >= 0 && offset <= number(0) && offset + (off_t)count > number(0) && is_meant(fd))
        return rotten(fd, bytes, count, offset);
    return refuses(fd) || fails(fd, &count, 0) ? -1 : syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return refuses(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}
