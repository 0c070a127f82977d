/*
 * Writes down what a program does to the files below one folder, in order and with every byte.
 *
 * Preloaded, it passes each call on and then appends one record to $FILE_LOG if the file lies below $FILE_LOG_FOLDER.
 * A record is a header of five 64-bit numbers (struct header), a path, and data. It knows files by their inode numbers
 * and asks the kernel for them each time, so that copies of descriptors and forks need no bookkeeping. A way of writing
 * that it cannot write down becomes an UNKNOWN record, which nobody can replay.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, LINK, MKDIR, RMDIR, NOTE, UNKNOWN };

struct header {
    uint64_t kind, inode, offset, path_bytes, data_bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_bytes;
static int log_fd = -1;

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("FILE_LOG"), *below = getenv("FILE_LOG_FOLDER");
    if (log == NULL || below == NULL || realpath(below, folder) == NULL)
        return;
    folder_bytes = strlen(folder);
    log_fd = REAL(open)(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* The path below the folder, or NULL if it lies elsewhere. */
static const char *below(const char *path)
{
    if (log_fd < 0 || strncmp(path, folder, folder_bytes) != 0)
        return NULL;
    if (path[folder_bytes] == '\0')
        return "";
    return path[folder_bytes] == '/' ? path + folder_bytes + 1 : NULL;
}

/* The same for a path as a program says it; the last part need not exist. */
static const char *named(int at, const char *path, char *absolute)
{
    char joined[2 * PATH_MAX], name[NAME_MAX + 1];
    int saved = errno;
    if (path[0] == '/' || at == AT_FDCWD) {
        snprintf(joined, sizeof joined, "%s", path);
    } else {
        char of_fd[64];
        snprintf(of_fd, sizeof of_fd, "/proc/self/fd/%d", at);
        snprintf(joined, sizeof joined, "%s/%s", realpath(of_fd, absolute) ? absolute : "", path);
    }
    char *slash = strrchr(joined, '/');
    snprintf(name, sizeof name, "%.255s", slash ? slash + 1 : joined);
    if (slash == joined)
        slash[1] = '\0';
    else if (slash)
        slash[0] = '\0';
    const char *found = NULL;
    if (realpath(slash ? joined : ".", absolute) != NULL) {
        size_t length = strlen(absolute);
        snprintf(absolute + length, PATH_MAX - length, "/%s", name);
        found = below(absolute);
    }
    errno = saved;
    return found;
}

/* The same for an open file; its inode goes to *inode. */
static const char *opened(int fd, char *absolute, uint64_t *inode)
{
    char link[64];
    struct stat status;
    int saved = errno;
    const char *found = NULL;
    if (log_fd >= 0 && fd != log_fd) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, absolute, PATH_MAX - 1);
        if (length > 0) {
            absolute[length] = '\0';
            if ((found = below(absolute)) != NULL && fstat(fd, &status) == 0)
                *inode = status.st_ino;
        }
    }
    errno = saved;
    return found;
}

static void record(uint64_t kind, uint64_t inode, uint64_t offset, const char *path, const struct iovec *data, int parts,
                   size_t bytes)
{
    struct header header = {kind, inode, offset, strlen(path), bytes};
    int saved = errno;
    char *whole = malloc(sizeof header + header.path_bytes + bytes);
    char *end = mempcpy(mempcpy(whole, &header, sizeof header), path, header.path_bytes);
    for (int at = 0; at < parts && bytes > 0; at++) {
        size_t some = data[at].iov_len < bytes ? data[at].iov_len : bytes;
        end = mempcpy(end, data[at].iov_base, some);
        bytes -= some;
    }
    /* One write, so that the records of two processes do not mix. */
    if (REAL(write)(log_fd, whole, end - whole) != end - whole)
        abort();
    free(whole);
    errno = saved;
}

static void plain(uint64_t kind, uint64_t inode, uint64_t offset, const char *path)
{
    record(kind, inode, offset, path, NULL, 0, 0);
}

static void with_text(uint64_t kind, const char *path, const char *text)
{
    struct iovec one = {(void *)text, strlen(text)};
    record(kind, 0, 0, path, &one, 1, one.iov_len);
}

static void unknown_at(int fd, const char *what)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    const char *path = opened(fd, absolute, &inode);
    if (path != NULL)
        with_text(UNKNOWN, path, what);
}

/* --- opening --- */

static int open_and_record(int at, const char *path, int flags, mode_t mode)
{
    char absolute[PATH_MAX], again[PATH_MAX];
    struct stat status;
    uint64_t inode = 0;
    const char *name = flags & (O_CREAT | O_TRUNC) ? named(at, path, absolute) : NULL;
    if (name == NULL)
        return REAL(openat)(at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int saved = errno, was_there = lstat(absolute, &status) == 0;
    errno = saved;
    int fd = REAL(openat)(at, path, flags, mode);
    if (fd >= 0 && opened(fd, again, &inode) != NULL) {
        if (!was_there)
            plain(CREATE, inode, 0, name);
        else if (flags & O_TRUNC && status.st_size > 0)
            plain(TRUNCATE, inode, 0, name);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

#define OPEN(name, parameters, at)                                                                                     \
    int name parameters                                                                                                \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = mode_of(flags, rest);                                                                            \
        va_end(rest);                                                                                                  \
        return open_and_record(at, path, flags, mode);                                                                 \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

int creat(const char *path, mode_t mode) { return open_and_record(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* --- content --- */

/* Where a write without an offset began, now that it is done. */
static off_t began(int fd, ssize_t bytes)
{
    int saved = errno;
    off_t end = lseek(fd, 0, SEEK_CUR);
    errno = saved;
    return end - bytes;
}

static ssize_t written(int fd, off_t offset, const struct iovec *parts, int count, ssize_t bytes)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    const char *path = bytes > 0 ? opened(fd, absolute, &inode) : NULL;
    if (path != NULL)
        record(WRITE, inode, offset < 0 ? began(fd, bytes) : offset, path, parts, count, bytes);
    return bytes;
}

#define AT_OFFSET(name, parameters, arguments, first, count)                                                           \
    ssize_t name parameters                                                                                            \
    {                                                                                                                  \
        pthread_mutex_lock(&lock);                                                                                     \
        ssize_t bytes = REAL(name) arguments;                                                                          \
        written(fd, offset, first, count, bytes);                                                                      \
        pthread_mutex_unlock(&lock);                                                                                   \
        return bytes;                                                                                                  \
    }
#define ONE (&(struct iovec){(void *)data, size})
AT_OFFSET(pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), ONE, 1)
AT_OFFSET(pwrite64, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset), ONE, 1)
AT_OFFSET(pwritev, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset), parts, count)
AT_OFFSET(pwritev64, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset), parts,
          count)

AT_OFFSET(pwritev2, (int fd, const struct iovec *parts, int count, off_t offset, int flags),
          (fd, parts, count, offset, flags), parts, count)
AT_OFFSET(pwritev64v2, (int fd, const struct iovec *parts, int count, off_t offset, int flags),
          (fd, parts, count, offset, flags), parts, count)

ssize_t write(int fd, const void *data, size_t size)
{
    /* Pipes and terminals are not held up by a lock. */
    char absolute[PATH_MAX];
    uint64_t inode;
    if (opened(fd, absolute, &inode) == NULL)
        return REAL(write)(fd, data, size);
    pthread_mutex_lock(&lock);
    ssize_t bytes = REAL(write)(fd, data, size);
    written(fd, -1, ONE, 1, bytes);
    pthread_mutex_unlock(&lock);
    return bytes;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    if (opened(fd, absolute, &inode) == NULL)
        return REAL(writev)(fd, parts, count);
    pthread_mutex_lock(&lock);
    ssize_t bytes = REAL(writev)(fd, parts, count);
    written(fd, -1, parts, count, bytes);
    pthread_mutex_unlock(&lock);
    return bytes;
}

static int resized(int fd, off_t size, int outcome)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    const char *path = outcome == 0 ? opened(fd, absolute, &inode) : NULL;
    if (path != NULL)
        plain(TRUNCATE, inode, size, path);
    return outcome;
}

static int allocated(int fd, off_t offset, off_t size, int outcome)
{
    struct stat status;
    if (outcome == 0 && fstat(fd, &status) == 0 && offset + size >= status.st_size)
        resized(fd, offset + size, 0);
    return outcome;
}

#define LOCKED(expression)                                                                                             \
    pthread_mutex_lock(&lock);                                                                                         \
    int outcome = expression;                                                                                          \
    pthread_mutex_unlock(&lock);                                                                                       \
    return outcome;

int ftruncate(int fd, off_t size) { LOCKED(resized(fd, size, REAL(ftruncate)(fd, size))) }
int ftruncate64(int fd, off_t size) { LOCKED(resized(fd, size, REAL(ftruncate64)(fd, size))) }
int posix_fallocate(int fd, off_t offset, off_t size)
{
    LOCKED(allocated(fd, offset, size, REAL(posix_fallocate)(fd, offset, size)))
}
int posix_fallocate64(int fd, off_t offset, off_t size)
{
    LOCKED(allocated(fd, offset, size, REAL(posix_fallocate)(fd, offset, size)))
}
int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (mode != 0)
        unknown_at(fd, "fallocate with a mode");
    LOCKED(allocated(fd, offset, size, REAL(fallocate)(fd, mode, offset, size)))
}
int fallocate64(int fd, int mode, off_t offset, off_t size) { return fallocate(fd, mode, offset, size); }

static int truncated(const char *path, off_t size, int outcome)
{
    char absolute[PATH_MAX];
    struct stat status;
    const char *name = outcome == 0 ? named(AT_FDCWD, path, absolute) : NULL;
    if (name != NULL && stat(absolute, &status) == 0)
        plain(TRUNCATE, status.st_ino, size, name);
    return outcome;
}

int truncate(const char *path, off_t size) { LOCKED(truncated(path, size, REAL(truncate)(path, size))) }
int truncate64(const char *path, off_t size) { LOCKED(truncated(path, size, REAL(truncate64)(path, size))) }

/* --- making it durable; sync(2) and sync_file_range(2) promise less, and are not counted --- */

static int synced(int fd, int outcome)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    const char *path = outcome == 0 ? opened(fd, absolute, &inode) : NULL;
    if (path != NULL)
        plain(SYNC, inode, 0, path);
    return outcome;
}

int fsync(int fd) { LOCKED(synced(fd, REAL(fsync)(fd))) }
int fdatasync(int fd) { LOCKED(synced(fd, REAL(fdatasync)(fd))) }

/* --- names --- */

static int moved(uint64_t kind, int from_at, const char *from, int to_at, const char *to, int outcome)
{
    char old[PATH_MAX], new[PATH_MAX];
    const char *source = named(from_at, from, old), *target = named(to_at, to, new);
    if (outcome != 0 || (source == NULL && target == NULL))
        return outcome;
    if (source == NULL || target == NULL)
        with_text(UNKNOWN, source ? source : target, "a name that leaves or enters the folder");
    else
        with_text(kind, source, target);
    return outcome;
}

int rename(const char *from, const char *to)
{
    LOCKED(moved(RENAME, AT_FDCWD, from, AT_FDCWD, to, REAL(rename)(from, to)))
}
int renameat(int from_at, const char *from, int to_at, const char *to)
{
    LOCKED(moved(RENAME, from_at, from, to_at, to, REAL(renameat)(from_at, from, to_at, to)))
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    LOCKED(moved(flags ? UNKNOWN : RENAME, from_at, from, to_at, to, REAL(renameat2)(from_at, from, to_at, to, flags)))
}
int link(const char *from, const char *to)
{
    LOCKED(moved(LINK, AT_FDCWD, from, AT_FDCWD, to, REAL(link)(from, to)))
}
int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    LOCKED(moved(flags & AT_SYMLINK_FOLLOW ? UNKNOWN : LINK, from_at, from, to_at, to,
                 REAL(linkat)(from_at, from, to_at, to, flags)))
}

static int renamed(uint64_t kind, int at, const char *path, int outcome)
{
    char absolute[PATH_MAX];
    struct stat status = {0};
    const char *name = outcome == 0 ? named(at, path, absolute) : NULL;
    if (name != NULL)
        plain(kind, kind == MKDIR && stat(absolute, &status) == 0 ? status.st_ino : 0, 0, name);
    return outcome;
}

int unlink(const char *path) { LOCKED(renamed(UNLINK, AT_FDCWD, path, REAL(unlink)(path))) }
int unlinkat(int at, const char *path, int flags)
{
    LOCKED(renamed(flags & AT_REMOVEDIR ? RMDIR : UNLINK, at, path, REAL(unlinkat)(at, path, flags)))
}
int remove(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}
int mkdir(const char *path, mode_t mode) { LOCKED(renamed(MKDIR, AT_FDCWD, path, REAL(mkdir)(path, mode))) }
int mkdirat(int at, const char *path, mode_t mode) { LOCKED(renamed(MKDIR, at, path, REAL(mkdirat)(at, path, mode))) }
int rmdir(const char *path) { LOCKED(renamed(RMDIR, AT_FDCWD, path, REAL(rmdir)(path))) }

static void new_name(int at, const char *path, const char *what)
{
    char absolute[PATH_MAX];
    const char *name = named(at, path, absolute);
    if (name != NULL)
        with_text(UNKNOWN, name, what);
}

int symlink(const char *target, const char *path)
{
    new_name(AT_FDCWD, path, "symlink");
    return REAL(symlink)(target, path);
}
int symlinkat(const char *target, int at, const char *path)
{
    new_name(at, path, "symlink");
    return REAL(symlinkat)(target, at, path);
}

/* --- other ways of writing --- */

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    unknown_at(to, "sendfile");
    return ((ssize_t(*)(int, int, off_t *, size_t))dlsym(RTLD_NEXT, "sendfile"))(to, from, offset, size);
}
ssize_t sendfile64(int to, int from, off_t *offset, size_t size) { return sendfile(to, from, offset, size); }

ssize_t copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t size, unsigned flags)
{
    unknown_at(to, "copy_file_range");
    return REAL(copy_file_range)(from, in, to, out, size, flags);
}

ssize_t splice(int from, off64_t *in, int to, off64_t *out, size_t size, unsigned flags)
{
    unknown_at(to, "splice");
    return REAL(splice)(from, in, to, out, size, flags);
}

static FILE *stream(FILE *file, const char *mode)
{
    if (file != NULL && strpbrk(mode, "wa+") != NULL)
        unknown_at(fileno(file), "a stream of stdio");
    return file;
}

FILE *fopen(const char *path, const char *mode) { return stream(REAL(fopen)(path, mode), mode); }
FILE *fopen64(const char *path, const char *mode) { return stream(REAL(fopen64)(path, mode), mode); }

/* What lies in SQLite's index of the WAL is worth nothing after a crash, and is made anew; no other file may be mapped. */
static void mapped(int protection, int flags, int fd)
{
    char absolute[PATH_MAX];
    uint64_t inode;
    if (!(flags & MAP_SHARED) || !(protection & PROT_WRITE) || fd < 0)
        return;
    const char *path = opened(fd, absolute, &inode);
    size_t length = path ? strlen(path) : 0;
    if (path != NULL && (length < 4 || strcmp(path + length - 4, "-shm") != 0))
        with_text(UNKNOWN, path, "a shared mapping");
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    mapped(protection, flags, fd);
    return REAL(mmap)(address, size, protection, flags, fd, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return mmap(address, size, protection, flags, fd, offset);
}
