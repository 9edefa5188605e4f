/* Every change that a process makes below one folder, counted; at one of them something goes wrong.

   Loaded with LD_PRELOAD, so it sees Python, Arrow's C++ and Rust alike. What to do stands in the
   environment, read anew after a fork:

   TORTURE_ROOT   only paths below it count; without it nothing is done
   TORTURE_LOG    a line for each operation: its name, its path or paths; and `failed` after one
                  that was made to fail
   TORTURE_AT     the number of the operation at which it happens, from 1
   TORTURE_WHAT   kill: the process is killed right after it; tear: a write is cut in half and the
                  process killed; full: from it on the disk is full; denied: from it on nothing may
                  be opened for writing, made, linked, moved or removed; unsynced: from it on
                  every sync fails
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

enum { FINE, KILL, TEAR, FULL, DENIED, UNSYNCED };
enum { ROOM = 1, RIGHT = 2, DEVICE = 4 }; /* what an operation needs */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t configured;
static char root[4096];
static size_t root_length;
static int what, log_fd = -1;
static long at, count;
static char *paths[FDS]; /* of descriptors that were opened for writing below the root */

static void configure(void) {
    const char *given = getenv("TORTURE_ROOT"), *log = getenv("TORTURE_LOG");
    const char *number = getenv("TORTURE_AT"), *kind = getenv("TORTURE_WHAT");
    configured = getpid();
    snprintf(root, sizeof root, "%s", given ? given : "");
    root_length = strlen(root);
    count = 0;
    at = number ? atol(number) : -1;
    what = !kind ? FINE : !strcmp(kind, "kill") ? KILL : !strcmp(kind, "tear") ? TEAR
         : !strcmp(kind, "full") ? FULL : !strcmp(kind, "denied") ? DENIED
         : !strcmp(kind, "unsynced") ? UNSYNCED : FINE;
    log_fd = -1;
    if (log) {
        static int (*real_open)(const char *, int, ...);
        if (!real_open) real_open = dlsym(RTLD_NEXT, "open");
        log_fd = real_open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
}

static int below(const char *path) {
    if (configured != getpid()) configure();
    return root_length && path && !strncmp(path, root, root_length)
        && (path[root_length] == '/' || !path[root_length]);
}

/* Which number this operation has. */
static long enter(const char *name, const char *path, const char *other) {
    pthread_mutex_lock(&lock);
    long number = ++count;
    if (log_fd >= 0) dprintf(log_fd, "%s\t%s\t%s\n", name, path, other ? other : "");
    pthread_mutex_unlock(&lock);
    return number;
}

static void leave(long number) {
    if (number == at && (what == KILL || what == TEAR)) kill(getpid(), SIGKILL);
}

/* Whether it fails for want of what it needs. */
static int fails(long number, int needs) {
    if (at < 0 || number < at) return 0;
    int error = what == FULL && needs & ROOM ? ENOSPC
              : what == DENIED && needs & RIGHT ? EACCES
              : what == UNSYNCED && needs & DEVICE ? EIO : 0;
    if (!error) return 0;
    if (log_fd >= 0) dprintf(log_fd, "failed\n");
    errno = error;
    return 1;
}

static void opened(int fd, const char *path) {
    if (fd < 0 || fd >= FDS) return;
    pthread_mutex_lock(&lock);
    free(paths[fd]);
    paths[fd] = path ? strdup(path) : NULL;
    pthread_mutex_unlock(&lock);
}

static const char *path_of(int fd) {
    if (configured != getpid()) configure();
    return fd >= 0 && fd < FDS ? paths[fd] : NULL;
}

#define OPENING(name, flags, call) \
    if (!((flags) & (O_WRONLY | O_RDWR | O_CREAT)) || !below(path)) { \
        int fd = call; \
        if (fd >= 0 && below(path)) opened(fd, path); /* a folder, to be synced */ \
        return fd; \
    } \
    long number = enter("open", path, NULL); \
    if (fails(number, ROOM | RIGHT)) return -1; \
    int fd = call; \
    opened(fd, path); \
    leave(number); \
    return fd

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags) REAL(open);
    OPENING(open, flags, real(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    MODE(flags) REAL(open64);
    OPENING(open64, flags, real(path, flags, mode));
}

int openat(int folder, const char *path, int flags, ...) {
    MODE(flags) REAL(openat);
    OPENING(openat, flags, real(folder, path, flags, mode));
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags) REAL(openat64);
    OPENING(openat64, flags, real(folder, path, flags, mode));
}

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < FDS && paths[fd]) opened(fd, NULL);
    return real(fd);
}

#define WRITING(length, call, half) \
    const char *path = path_of(fd); \
    if (!path) return call; \
    long number = enter("write", path, NULL); \
    if (fails(number, ROOM)) return -1; \
    if (number == at && what == TEAR) { half; leave(number); } \
    ssize_t done = call; \
    leave(number); \
    return done

ssize_t write(int fd, const void *content, size_t length) {
    REAL(write);
    WRITING(length, real(fd, content, length), if (real(fd, content, length / 2)) {});
}

ssize_t pwrite(int fd, const void *content, size_t length, off_t where) {
    REAL(pwrite);
    WRITING(length, real(fd, content, length, where),
            if (real(fd, content, length / 2, where)) {});
}

ssize_t pwrite64(int fd, const void *content, size_t length, off64_t where) {
    REAL(pwrite64);
    WRITING(length, real(fd, content, length, where),
            if (real(fd, content, length / 2, where)) {});
}

ssize_t writev(int fd, const struct iovec *pieces, int number_of) {
    REAL(writev);
    WRITING(0, real(fd, pieces, number_of), if (real(fd, pieces, number_of / 2)) {});
}

#define SYNCING(name) \
    int name(int fd) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!path) return real(fd); \
        long number = enter("sync", path, NULL); \
        if (fails(number, DEVICE)) return -1; \
        int done = real(fd); \
        leave(number); \
        return done; \
    }

SYNCING(fsync)
SYNCING(fdatasync)

#define CHANGING(name, path, other, needs, call) \
    if (!below(path) && !below(other)) return call; \
    long number = enter(name, path, other); \
    if (fails(number, needs)) return -1; \
    int done = call; \
    leave(number); \
    return done

int link(const char *from, const char *to) {
    REAL(link);
    CHANGING("link", from, to, ROOM | RIGHT, real(from, to));
}

int linkat(int one, const char *from, int two, const char *to, int flags) {
    REAL(linkat);
    CHANGING("link", from, to, ROOM | RIGHT, real(one, from, two, to, flags));
}

int rename(const char *from, const char *to) {
    REAL(rename);
    CHANGING("rename", from, to, RIGHT, real(from, to));
}

int renameat(int one, const char *from, int two, const char *to) {
    REAL(renameat);
    CHANGING("rename", from, to, RIGHT, real(one, from, two, to));
}

int renameat2(int one, const char *from, int two, const char *to, unsigned flags) {
    REAL(renameat2);
    CHANGING("rename", from, to, RIGHT, real(one, from, two, to, flags));
}

int unlink(const char *path) {
    REAL(unlink);
    CHANGING("unlink", path, NULL, RIGHT, real(path));
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    CHANGING("unlink", path, NULL, RIGHT, real(folder, path, flags));
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (below(path) && !access(path, F_OK)) return real(path, mode); /* changes nothing */
    CHANGING("mkdir", path, NULL, ROOM | RIGHT, real(path, mode));
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    CHANGING("mkdir", path, NULL, ROOM | RIGHT, real(folder, path, mode));
}

int rmdir(const char *path) {
    REAL(rmdir);
    CHANGING("rmdir", path, NULL, RIGHT, real(path));
}

/* Other ways to change a file: nothing goes wrong in them, so whoever counts is told by their name. */

static void tell(const char *name, const char *path) {
    if (path && log_fd >= 0) dprintf(log_fd, "%s\t%s\t\n", name, path);
}

int creat(const char *path, mode_t mode) {
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

#define TRUNCATING(name, offset) \
    int name(int fd, offset length) { \
        REAL(name); \
        tell(#name, path_of(fd)); \
        return real(fd, length); \
    }

TRUNCATING(ftruncate, off_t)
TRUNCATING(ftruncate64, off64_t)

int fallocate(int fd, int mode, off_t where, off_t length) {
    REAL(fallocate);
    tell("fallocate", path_of(fd));
    return real(fd, mode, where, length);
}

ssize_t copy_file_range(int from, off64_t *there, int to, off64_t *here, size_t length,
                        unsigned flags) {
    REAL(copy_file_range);
    tell("copy_file_range", path_of(to));
    return real(from, there, to, here, length, flags);
}

ssize_t sendfile(int to, int from, off_t *where, size_t length) {
    REAL(sendfile);
    tell("sendfile", path_of(to));
    return real(to, from, where, length);
}

FILE *fopen(const char *path, const char *mode) {
    REAL(fopen);
    if (strpbrk(mode, "wa+") && below(path)) tell("fopen", path);
    return real(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    REAL(fopen64);
    if (strpbrk(mode, "wa+") && below(path)) tell("fopen64", path);
    return real(path, mode);
}
