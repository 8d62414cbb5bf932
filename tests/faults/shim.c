// Stands between a process and its disk: counts file calls, and spoils one, or all for a
// while. Loaded with LD_PRELOAD. It never touches a path outside $SHIM_ROOT, and without
// SHIM_ROOT it does nothing.
//
// Counted are calls that change files: open (with O_CREAT, O_TRUNC or for writing), write,
// pwrite, writev, copy_file_range, sendfile, rename, link, symlink, unlink, rmdir, mkdir,
// ftruncate, truncate, fallocate, fsync, fdatasync, each in all its spellings.
//
// The counter is limited to one process: the first that is started with the shim, or the
// one that calls shim_arm(). Its children carry the shim, and do not count: so the same
// number is the same call each time. A sick disk is sick for all of them.
//
//   SHIM_ROOT   only paths below this folder, which must be a real path
//   SHIM_AT     the number of the call to spoil, from 1 on
//   SHIM_ACT    kill_before kill_after half_kill done_EIO, or an error: ENOSPC EIO EINTR EROFS
//   SHIM_SICK   a file: while it exists, calls fail with SHIM_ACT; of ENOSPC only those
//               that need room. Which were refused stands in SHIM_SICK.met
//   SHIM_LOG    a file: one line per counted call, "number<TAB>call<TAB>path<TAB>path"
//   SHIM_KEPT   a folder: a copy of what each file held when its fsync came back, by number
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define LONGEST 4096
enum { PASS = 0, AFTER = -1, HALF = -2, DONE = -3 };

static char root[LONGEST], sick[LONGEST], logged[LONGEST], kept[LONGEST], act[32];
static int at = -1, count = 0, own = 0;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take(char *to, const char *value, size_t room) {
  snprintf(to, room, "%s", value ? value : "");
}

__attribute__((constructor)) static void begin(void) {
  const char *first = getenv("SHIM_MAIN"), *number = getenv("SHIM_AT");
  char pid[24];
  take(root, getenv("SHIM_ROOT"), sizeof root);
  take(sick, getenv("SHIM_SICK"), sizeof sick);
  take(logged, getenv("SHIM_LOG"), sizeof logged);
  take(kept, getenv("SHIM_KEPT"), sizeof kept);
  take(act, getenv("SHIM_ACT"), sizeof act);
  at = number ? atoi(number) : -1;
  snprintf(pid, sizeof pid, "%d", getpid());
  // A child finds the pid of the first in its environment: it is not the one that counts.
  own = !first;
  if (!first) setenv("SHIM_MAIN", pid, 1);
}

// Begin to count anew in this process, and spoil another call. For a process that forks.
void shim_arm(const char *folder, int number, const char *what, const char *log,
              const char *keep) {
  take(root, folder, sizeof root);
  take(act, what, sizeof act);
  take(logged, log, sizeof logged);
  take(kept, keep, sizeof kept);
  at = number;
  count = 0;
  own = 1;
}

int shim_count(void) { return count; }

// Calls of our own go straight to the kernel: they are never counted.
static int raw_open(const char *path, int flags) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

static void path_of(int fd, char *to) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, to, (size_t)LONGEST - 1);
  to[n < 0 ? 0 : n] = 0;
}

static void whole(int folder, const char *path, char *to) {
  char base[LONGEST] = "";
  if (!path || path[0] == '/') {
    take(to, path, LONGEST);
    return;
  }
  if (folder != AT_FDCWD) path_of(folder, base);
  else if (!getcwd(base, sizeof base)) base[0] = 0;
  if (snprintf(to, LONGEST, "%s/%s", base, path) >= LONGEST) to[0] = 0;
}

static int below(const char *path) {
  size_t n = strlen(root);
  return n && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

static int number_of(const char *name) {
  if (!strcmp(name, "ENOSPC")) return ENOSPC;
  if (!strcmp(name, "EIO")) return EIO;
  if (!strcmp(name, "EINTR")) return EINTR;
  if (!strcmp(name, "EROFS")) return EROFS;
  return 0;
}

static int needs_room(const char *call) {
  static const char *const calls[] = {"open", "write", "mkdir", "link", "copy", "fallocate"};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (!strcmp(call, calls[i])) return 1;
  return 0;
}

static void note(const char *where, int number, const char *call, const char *one,
                 const char *two) {
  char line[2 * LONGEST + 64];
  int fd = where[0] ? raw_open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC) : -1;
  if (fd < 0) return;
  int n = snprintf(line, sizeof line, "%d\t%s\t%s\t%s\n", number, call, one, two ? two : "");
  if (syscall(SYS_write, fd, line, (size_t)n) != n) abort();
  syscall(SYS_close, fd);
}

static int is_sick(const char *call, const char *one) {
  char met[LONGEST + 8];
  if (!sick[0] || syscall(SYS_faccessat, AT_FDCWD, sick, F_OK)) return 0;
  int number = number_of(act);
  if (number == ENOSPC && !needs_room(call)) return 0;
  if (number == EROFS && !strcmp(call, "fsync")) return 0;
  snprintf(met, sizeof met, "%s.met", sick);
  note(met, number, call, one, 0);
  return number;
}

// Returns an error's number, PASS, or what is to be done once the call was made.
static int hit(const char *call, const char *one, const char *two) {
  int kept_errno = errno, found = PASS;
  if (!below(one) && !(two && below(two))) return PASS;
  if ((found = is_sick(call, one)) || !own) return found;
  pthread_mutex_lock(&lock);
  int number = ++count;
  note(logged, number, call, one, two);
  pthread_mutex_unlock(&lock);
  errno = kept_errno;
  if (number != at) return PASS;
  if (!strcmp(act, "kill_before")) kill(getpid(), SIGKILL);
  if (!strcmp(act, "half_kill") && strcmp(call, "write")) kill(getpid(), SIGKILL);
  if (!strcmp(act, "kill_after")) return AFTER;
  if (!strcmp(act, "half_kill")) return HALF;
  if (!strcmp(act, "done_EIO")) return DONE;
  return number_of(act);
}

// What follows a call that was made: nothing, the end, or an error all the same.
#define FINISH(found, result)                  \
  do {                                         \
    if ((found) == AFTER) kill(getpid(), SIGKILL); \
    if ((found) == DONE) {                     \
      errno = EIO;                             \
      return -1;                               \
    }                                          \
    return result;                             \
  } while (0)

#define REFUSE(found)   \
  do {                  \
    if ((found) > 0) {  \
      errno = (found);  \
      return -1;        \
    }                   \
  } while (0)

static int changes(int flags) {
  return (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
  char full[LONGEST];
  int found = PASS;
  if (changes(flags)) {
    whole(folder, path, full);
    char seen[2];
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, full, F_OK) &&
                 syscall(SYS_readlinkat, AT_FDCWD, full, seen, sizeof seen) < 0;
    found = hit(is_new ? "open" : (flags & O_TRUNC) ? "empty" : "reopen", full, 0);
    REFUSE(found);
  }
  int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
  if (found == DONE && fd >= 0) syscall(SYS_close, fd);
  FINISH(found, fd);
}

#define MODE(flags)                                \
  mode_t mode = 0;                                 \
  if ((flags) & (O_CREAT | O_TMPFILE)) {           \
    va_list more;                                  \
    va_start(more, flags);                         \
    mode = va_arg(more, mode_t);                   \
    va_end(more);                                  \
  }
int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags | O_LARGEFILE, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode); }

static int on_file(const char *call, int fd) {
  char path[LONGEST];
  if (!root[0]) return PASS;
  path_of(fd, path);
  return hit(call, path, 0);
}

#define WRITES(name, arguments, half, ...)                        \
  ssize_t name arguments {                                        \
    int found = on_file("write", fd);                             \
    REFUSE(found);                                                \
    if (found == HALF) {                                          \
      if ((half) < 0) abort();                                    \
      kill(getpid(), SIGKILL);                                    \
    }                                                             \
    ssize_t done = __VA_ARGS__;                                   \
    FINISH(found, done);                                          \
  }
WRITES(write, (int fd, const void *data, size_t size),
       syscall(SYS_write, fd, data, size / 2), syscall(SYS_write, fd, data, size))
WRITES(pwrite, (int fd, const void *data, size_t size, off_t from),
       syscall(SYS_pwrite64, fd, data, size / 2, from), syscall(SYS_pwrite64, fd, data, size, from))
WRITES(pwrite64, (int fd, const void *data, size_t size, off64_t from),
       syscall(SYS_pwrite64, fd, data, size / 2, from), syscall(SYS_pwrite64, fd, data, size, from))
WRITES(writev, (int fd, const struct iovec *parts, int many),
       syscall(SYS_writev, fd, parts, (many + 1) / 2), syscall(SYS_writev, fd, parts, many))

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) {
  int found = on_file("copy", to);
  REFUSE(found);
  ssize_t done = syscall(SYS_copy_file_range, from, a, to, b, size, flags);
  FINISH(found, done);
}
ssize_t sendfile64(int to, int from, off64_t *a, size_t size) {
  int found = on_file("copy", to);
  REFUSE(found);
  ssize_t done = syscall(SYS_sendfile, to, from, a, size);
  FINISH(found, done);
}
ssize_t sendfile(int to, int from, off_t *a, size_t size) { return sendfile64(to, from, a, size); }

static int on_names(const char *call, int a, const char *one, int b, const char *two, int *found) {
  char from[LONGEST], to[LONGEST];
  whole(a, one, from);
  if (two) whole(b, two, to);
  *found = hit(call, from, two ? to : 0);
  return *found;
}

#define NAMES(call, a, one, b, two, ...)               \
  int found;                                           \
  on_names(call, a, one, b, two, &found);              \
  REFUSE(found);                                       \
  int done = (int)(__VA_ARGS__);                       \
  FINISH(found, done)

int renameat2(int a, const char *one, int b, const char *two, unsigned flags) {
  NAMES("rename", a, one, b, two, syscall(SYS_renameat2, a, one, b, two, flags));
}
int renameat(int a, const char *one, int b, const char *two) { return renameat2(a, one, b, two, 0); }
int rename(const char *one, const char *two) { return renameat2(AT_FDCWD, one, AT_FDCWD, two, 0); }
int linkat(int a, const char *one, int b, const char *two, int flags) {
  NAMES("link", a, one, b, two, syscall(SYS_linkat, a, one, b, two, flags));
}
int link(const char *one, const char *two) { return linkat(AT_FDCWD, one, AT_FDCWD, two, 0); }
int symlinkat(const char *one, int b, const char *two) {
  NAMES("link", b, two, b, 0, syscall(SYS_symlinkat, one, b, two));
}
int symlink(const char *one, const char *two) { return symlinkat(one, AT_FDCWD, two); }
int unlinkat(int a, const char *one, int flags) {
  NAMES(flags & AT_REMOVEDIR ? "rmdir" : "unlink", a, one, a, 0, syscall(SYS_unlinkat, a, one, flags));
}
int unlink(const char *one) { return unlinkat(AT_FDCWD, one, 0); }
int rmdir(const char *one) { return unlinkat(AT_FDCWD, one, AT_REMOVEDIR); }
int remove(const char *one) {
  int done = unlink(one);
  return done && errno == EISDIR ? rmdir(one) : done;
}
int mkdirat(int a, const char *one, mode_t mode) {
  NAMES("mkdir", a, one, a, 0, syscall(SYS_mkdirat, a, one, mode));
}
int mkdir(const char *one, mode_t mode) { return mkdirat(AT_FDCWD, one, mode); }
int truncate(const char *one, off_t size) {
  NAMES("truncate", AT_FDCWD, one, AT_FDCWD, 0, syscall(SYS_truncate, one, size));
}
int ftruncate(int fd, off_t size) {
  int found = on_file("truncate", fd);
  REFUSE(found);
  int done = (int)syscall(SYS_ftruncate, fd, size);
  FINISH(found, done);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int fallocate(int fd, int mode, off_t from, off_t size) {
  int found = on_file("fallocate", fd);
  REFUSE(found);
  int done = (int)syscall(SYS_fallocate, fd, mode, from, size);
  FINISH(found, done);
}
int fallocate64(int fd, int mode, off64_t from, off64_t size) { return fallocate(fd, mode, from, size); }

// What a file holds once it is on the disk, under the number of the call.
static void keep(int fd, int number) {
  char place[LONGEST + 24], data[65536];
  struct stat seen;
  if (!kept[0] || !own || syscall(SYS_fstat, fd, &seen) || !S_ISREG(seen.st_mode)) return;
  snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
  int from = raw_open(place, O_RDONLY | O_CLOEXEC);
  snprintf(place, sizeof place, "%s/%d", kept, number);
  int to = raw_open(place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (from < 0 || to < 0) abort();
  for (ssize_t n; (n = syscall(SYS_read, from, data, sizeof data)) > 0;)
    if (syscall(SYS_write, to, data, (size_t)n) != n) abort();
  syscall(SYS_close, from);
  syscall(SYS_close, to);
}

static int synced(int fd, long how) {
  char path[LONGEST];
  path_of(fd, path);
  int found = hit("fsync", path, 0), number = count;
  REFUSE(found);
  int done = (int)syscall(how, fd);
  if (!done && below(path)) keep(fd, number);
  FINISH(found, done);
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
