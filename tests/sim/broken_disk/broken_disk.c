/*
 * A disk that fails: every call that would need the device below one folder ends with EIO while a file says so.
 *
 * $BROKEN_DISK_FOLDER is the folder. $BROKEN_DISK_SWITCH is a file elsewhere, asked anew at each call: if it is not
 * there the disk is well; "w" as its first letter fails whatever writes or makes durable, "a" everything, reading too.
 * What the kernel holds in memory (the names that stat(2) sees, pages that are mapped) is there as with a real device.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READS, WRITES };

static char folder[PATH_MAX];
static const char *switch_path;
static size_t folder_bytes;

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *below = getenv("BROKEN_DISK_FOLDER");
    switch_path = getenv("BROKEN_DISK_SWITCH");
    if (below != NULL && switch_path != NULL && realpath(below, folder) != NULL)
        folder_bytes = strlen(folder);
}

/* Whether the disk fails at this moment for this kind of call; asks the kernel itself, so that nothing calls itself. */
static int broken(int kind)
{
    char how = 0;
    int saved = errno;
    if (folder_bytes == 0)
        return 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, switch_path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (syscall(SYS_read, fd, &how, 1) != 1)
            how = 0;
        syscall(SYS_close, fd);
    }
    errno = saved;
    return how == 'a' || (how == 'w' && kind == WRITES);
}

static int lies_below(const char *absolute)
{
    return strncmp(absolute, folder, folder_bytes) == 0 &&
           (absolute[folder_bytes] == '/' || absolute[folder_bytes] == '\0');
}

static int fails_fd(int fd, int kind)
{
    char link[64], absolute[PATH_MAX];
    int saved = errno;
    if (!broken(kind))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, absolute, sizeof absolute - 1);
    errno = saved;
    if (length <= 0)
        return 0;
    absolute[length] = '\0';
    if (!lies_below(absolute))
        return 0;
    errno = EIO;
    return 1;
}

static int fails_at(int at, const char *path, int kind)
{
    char joined[2 * PATH_MAX], of_fd[64], base[PATH_MAX], absolute[PATH_MAX];
    int saved = errno;
    if (path == NULL || !broken(kind))
        return 0;
    snprintf(joined, sizeof joined, "%s", path);
    if (path[0] != '/' && at != AT_FDCWD) {
        snprintf(of_fd, sizeof of_fd, "/proc/self/fd/%d", at);
        snprintf(joined, sizeof joined, "%s/%s", realpath(of_fd, base) ? base : "", path);
    }
    /* The last part need not exist. */
    if (realpath(joined, absolute) == NULL) {
        char *slash = strrchr(joined, '/');
        if (slash != NULL)
            *slash = '\0';
        if (realpath(slash != NULL ? joined : ".", absolute) == NULL) {
            errno = saved;
            return 0;
        }
    }
    errno = saved;
    if (!lies_below(absolute))
        return 0;
    errno = EIO;
    return 1;
}

#define ON_FD(type, name, parameters, arguments, kind)                                                                 \
    type name parameters { return fails_fd(fd, kind) ? (type)-1 : REAL(name) arguments; }
#define ON_PATH(name, parameters, arguments, at, kind)                                                                 \
    int name parameters { return fails_at(at, path, kind) ? -1 : REAL(name) arguments; }

static int kind_of(int flags)
{
    return (flags & O_ACCMODE) == O_RDONLY && !(flags & (O_CREAT | O_TRUNC)) ? READS : WRITES;
}

/* An open for reading and writing of what is there reads; the writing fails by itself. */
#define OPEN(name, parameters, at)                                                                                     \
    int name parameters                                                                                                \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        return fails_at(at, path, kind_of(flags)) ? -1 : REAL(openat)(at, path, flags, mode);                          \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

ON_FD(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size), READS)
ON_FD(ssize_t, pread, (int fd, void *data, size_t size, off_t offset), (fd, data, size, offset), READS)
ON_FD(ssize_t, pread64, (int fd, void *data, size_t size, off_t offset), (fd, data, size, offset), READS)
ON_FD(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), WRITES)
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), WRITES)
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), WRITES)
ON_FD(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), WRITES)
ON_FD(int, fsync, (int fd), (fd), WRITES)
ON_FD(int, fdatasync, (int fd), (fd), WRITES)
ON_FD(int, ftruncate, (int fd, off_t size), (fd, size), WRITES)
ON_FD(int, ftruncate64, (int fd, off_t size), (fd, size), WRITES)
ON_FD(int, posix_fallocate, (int fd, off_t offset, off_t size), (fd, offset, size), WRITES)
ON_FD(int, posix_fallocate64, (int fd, off_t offset, off_t size), (fd, offset, size), WRITES)

ON_PATH(unlink, (const char *path), (path), AT_FDCWD, WRITES)
ON_PATH(unlinkat, (int at, const char *path, int flags), (at, path, flags), at, WRITES)
ON_PATH(rename, (const char *path, const char *other), (path, other), AT_FDCWD, WRITES)
ON_PATH(renameat, (int at, const char *path, int to, const char *other), (at, path, to, other), at, WRITES)
ON_PATH(link, (const char *path, const char *other), (path, other), AT_FDCWD, WRITES)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, WRITES)
