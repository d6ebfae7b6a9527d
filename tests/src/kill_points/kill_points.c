/* Counts the operations of a process that change something outside it, and ends it with SIGKILL right
   after the n-th. Loaded by LD_PRELOAD.

   KILL_AFTER=n          dies right after the n-th operation has succeeded; 0: before the first is tried.
                         Not set: never.
   KILL_COUNT_FILE=path  the number of operations so far, as decimal text; the file must exist.

   An operation is a write to a file of SQLite (its path has ".sqlite3" in it), making one durable,
   shorter or disappear, or a write to a stream socket that leads out of the process. One that fails
   has changed nothing and does not count; one that writes a part does.

   Operations are done one at a time, so that exactly n have happened when the process dies. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static long limit = -1;
static long count = 0;
static int count_file = -1;

#define REAL(result, name, parameters) static result(*real_##name) parameters
REAL(ssize_t, write, (int, const void *, size_t));
REAL(ssize_t, pwrite, (int, const void *, size_t, off_t));
REAL(ssize_t, pwrite64, (int, const void *, size_t, off64_t));
REAL(ssize_t, writev, (int, const struct iovec *, int));
REAL(ssize_t, pwritev, (int, const struct iovec *, int, off_t));
REAL(ssize_t, pwritev64, (int, const struct iovec *, int, off64_t));
REAL(ssize_t, send, (int, const void *, size_t, int));
REAL(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t));
REAL(ssize_t, sendmsg, (int, const struct msghdr *, int));
REAL(int, ftruncate, (int, off_t));
REAL(int, ftruncate64, (int, off64_t));
REAL(int, fsync, (int));
REAL(int, fdatasync, (int));
REAL(int, unlink, (const char *));
REAL(int, rename, (const char *, const char *));

static void start(void) {
#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)
    FIND(write); FIND(pwrite); FIND(pwrite64); FIND(writev); FIND(pwritev); FIND(pwritev64);
    FIND(send); FIND(sendto); FIND(sendmsg);
    FIND(ftruncate); FIND(ftruncate64); FIND(fsync); FIND(fdatasync); FIND(unlink); FIND(rename);
    const char *after = getenv("KILL_AFTER");
    if (after && *after) limit = strtol(after, NULL, 10);
    const char *file = getenv("KILL_COUNT_FILE");
    if (file && *file) {
        /* Far up, where no program puts a descriptor of its own choice over it, as a shell does with 3. */
        int fd = open(file, O_WRONLY | O_CLOEXEC);
        count_file = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 500);
        if (fd >= 0) close(fd);
    }
}

/* Before main, but another library's constructor may be earlier: every operation asks for it too. */
static void __attribute__((constructor)) start_early(void) { pthread_once(&once, start); }

static int is_database(const char *path) { return path && strstr(path, ".sqlite3") != NULL; }

/* Whether a socket is a stream to another process. A pair of sockets inside one, such as the one through
   which a run time wakes itself when a signal comes, has a peer without a name. */
static int leads_out(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return 0;
    struct sockaddr_storage peer;
    size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0) return 0;
    if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) return 1;
    return peer.ss_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path);
}

static int is_outward(int fd) {
    int before = errno, outward = 0;
    struct stat about;
    if (fstat(fd, &about) == 0) {
        if (S_ISSOCK(about.st_mode)) {
            outward = leads_out(fd);
        } else if (S_ISREG(about.st_mode)) {
            char link[32], path[4096];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, path, sizeof path - 1);
            if (length > 0) {
                path[length] = 0;
                outward = is_database(path);
            }
        }
    }
    errno = before;
    return outward;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void enter(void) {
    pthread_mutex_lock(&one_at_a_time);
    if (limit == 0) die();
}

static void leave(int succeeded) {
    int before = errno;
    if (succeeded) {
        count++;
        if (count_file >= 0) {
            char text[24];
            int length = snprintf(text, sizeof text, "%ld\n", count);
            if (real_pwrite(count_file, text, (size_t)length, 0) != length) count_file = -1;
        }
        if (count == limit) die();
    }
    pthread_mutex_unlock(&one_at_a_time);
    errno = before;
}

#define WRAPPED(type, name, parameters, arguments, outward, success)                                           \
    type name parameters {                                                                                     \
        start_early();                                                                                         \
        if (!(outward)) return real_##name arguments;                                                          \
        enter();                                                                                               \
        type result = real_##name arguments;                                                                   \
        leave(success);                                                                                        \
        return result;                                                                                         \
    }
#define WRITES(name, parameters, arguments) WRAPPED(ssize_t, name, parameters, arguments, is_outward(fd), result > 0)
#define CHANGES(name, parameters, arguments, outward) WRAPPED(int, name, parameters, arguments, outward, result == 0)

WRITES(write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRITES(pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRITES(pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at))
WRITES(writev, (int fd, const struct iovec *parts, int number), (fd, parts, number))
WRITES(pwritev, (int fd, const struct iovec *parts, int number, off_t at), (fd, parts, number, at))
WRITES(pwritev64, (int fd, const struct iovec *parts, int number, off64_t at), (fd, parts, number, at))
WRITES(send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
WRITES(sendto,
       (int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t length),
       (fd, bytes, size, flags, to, length))
WRITES(sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CHANGES(ftruncate, (int fd, off_t size), (fd, size), is_outward(fd))
CHANGES(ftruncate64, (int fd, off64_t size), (fd, size), is_outward(fd))
CHANGES(fsync, (int fd), (fd), is_outward(fd))
CHANGES(fdatasync, (int fd), (fd), is_outward(fd))
CHANGES(unlink, (const char *path), (path), is_database(path))
CHANGES(rename, (const char *from, const char *to), (from, to), is_database(from) || is_database(to))
