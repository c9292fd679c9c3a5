// Watches over one script, so that nothing of it outlives its task, however the script or Tarn ends. It is
// the subreaper of all that the script starts: what leaves its process group or its session still hangs below
// it.
//
//   tarn_keeper FOLDER MEMORY_BYTES FILE_BYTES CPU_SECONDS PROCESSES GRACE_MS COMMAND [ARGUMENT…]
//
// Descriptors: 0 the script's input, 1 and 2 its output, 3 a socket to Tarn, 4 where the end is told.
// A byte on 3 asks for the end: SIGTERM, then SIGKILL after the grace. The end of 3 is Tarn's own: SIGKILL at
// once. It tells "end EXIT SIGNAL WHY LEFT CPU_US RSS_KB\n", or "exec ERRNO\n". No C++ library, no threads:
// it is linked statically and starts in a millisecond.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

namespace {

constexpr int kControl = 3;
constexpr int kTell = 4;
constexpr int kTickMs = 50;
constexpr int kPidsMax = 65536;
constexpr long kKillMsMax = 60'000;

struct Limits {
  const char* folder;
  unsigned long long memory_bytes, file_bytes, cpu_seconds;
  long processes, grace_ms;
};

pid_t pids[kPidsMax];
int pid_count = 0;
bool has_children_files = true;

long now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

ssize_t read_file(const char* path, char* bytes, size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return -1;
  const ssize_t length = read(file, bytes, size - 1);
  close(file);
  bytes[length > 0 ? length : 0] = 0;
  return length;
}

void add_pid(pid_t pid) {
  if (pid > 0 && pid_count < kPidsMax)
    pids[pid_count++] = pid;
}

// Each thread has the children that it started.
void add_children(pid_t pid) {
  char path[96];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* threads = opendir(path);
  if (threads == nullptr)
    return;
  static char text[1 << 20];
  while (const dirent* thread = readdir(threads)) {
    if (thread->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, thread->d_name);
    if (read_file(path, text, sizeof text) <= 0)
      continue;
    for (char* at = text; *at != 0;) {
      char* end = nullptr;
      const long child = strtol(at, &end, 10);
      if (end == at)
        break;
      add_pid(static_cast<pid_t>(child));
      at = end + strspn(end, " ");
    }
  }
  closedir(threads);
}

pid_t parent_of(pid_t pid) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_file(path, text, sizeof text) <= 0)
    return -1;
  const char* name_end = strrchr(text, ')');  // a name may hold anything
  return name_end == nullptr || name_end[1] == 0 ? -1 : static_cast<pid_t>(strtol(name_end + 4, nullptr, 10));
}

// For a kernel without /proc/…/children: all processes, each as long as its parent is known.
void scan_all() {
  static pid_t all[kPidsMax], parents[kPidsMax];
  int count = 0;
  DIR* proc = opendir("/proc");
  if (proc == nullptr)
    return;
  while (const dirent* entry = readdir(proc)) {
    const long pid = strtol(entry->d_name, nullptr, 10);
    if (pid <= 0 || count >= kPidsMax)
      continue;
    all[count] = static_cast<pid_t>(pid);
    parents[count++] = parent_of(static_cast<pid_t>(pid));
  }
  closedir(proc);
  const pid_t self = getpid();
  for (bool more = true; more;) {
    more = false;
    for (int i = 0; i < count; ++i) {
      bool below = parents[i] == self;
      for (int j = 0; !below && j < pid_count; ++j)
        below = pids[j] == parents[i];
      if (!below || parents[i] < 0)
        continue;
      parents[i] = -1;
      add_pid(all[i]);
      more = true;
    }
  }
}

// Everything below this process into `pids`.
void find_descendants() {
  pid_count = 0;
  if (!has_children_files)
    return scan_all();
  add_children(getpid());
  for (int i = 0; i < pid_count; ++i)
    add_children(pids[i]);
}

unsigned long long memory_of(pid_t pid) {
  char path[48], text[128];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  if (read_file(path, text, sizeof text) <= 0)
    return 0;
  unsigned long long size = 0, resident = 0, shared = 0;
  if (sscanf(text, "%llu %llu %llu", &size, &resident, &shared) != 3 || shared > resident)
    return 0;
  return (resident - shared) * static_cast<unsigned long long>(sysconf(_SC_PAGESIZE));
}

bool is_zombie(pid_t pid) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_file(path, text, sizeof text) <= 0)
    return true;
  const char* name_end = strrchr(text, ')');
  return name_end != nullptr && name_end[1] == ' ' && name_end[2] == 'Z';
}

struct Child {
  pid_t pid = 0;
  bool ended = false;
  int status = 0;
};

// False: there are no children at all.
bool reap(Child& script) {
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0)
      return true;
    if (pid < 0)
      return errno != ECHILD;
    if (pid == script.pid) {
      script.ended = true;
      script.status = status;
    }
  }
}

void signal_all(int signal) {
  find_descendants();
  for (int i = 0; i < pid_count; ++i)
    kill(pids[i], signal);
}

// What forks meanwhile hangs below us again and is found by the next round. Returns the processes, besides
// the script itself, that were alive at first.
int kill_all(Child& script) {
  setpriority(PRIO_PROCESS, 0, -20);  // where allowed: a wild forker must not starve us
  const long until = now_ms() + kKillMsMax;
  find_descendants();
  int alive = 0;
  for (int i = 0; i < pid_count; ++i)
    alive += pids[i] != script.pid && !is_zombie(pids[i]) ? 1 : 0;
  for (int round = 0; reap(script) && now_ms() < until; ++round) {
    signal_all(SIGKILL);
    if (round > 20)
      usleep(1000);
  }
  return alive;
}

void limit(__rlimit_resource resource, unsigned long long value) {
  if (value == 0)
    return;
  rlimit both{.rlim_cur = value, .rlim_max = value};
  setrlimit(resource, &both);
}

[[noreturn]] void become_script(const Limits& limits, char** command, pid_t keeper) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != keeper)
    _exit(127);
  limit(RLIMIT_DATA, limits.memory_bytes);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD, SIGXFSZ})
    signal(one, SIG_DFL);
  sigset_t nothing;
  sigemptyset(&nothing);
  sigprocmask(SIG_SETMASK, &nothing, nullptr);
  if (chdir(limits.folder) == 0)
    execvp(command[0], command);
  dprintf(kTell, "exec %d\n", errno);
  _exit(127);
}

void hear_child(int) {}  // wakes ppoll

// Why it is stopped, or null.
const char* limit_reached(const Limits& limits) {
  find_descendants();
  if (pid_count > limits.processes)
    return "processes";
  unsigned long long bytes = 0;
  for (int i = 0; i < pid_count; ++i)
    bytes += memory_of(pids[i]);
  return limits.memory_bytes > 0 && bytes > limits.memory_bytes ? "memory" : nullptr;
}

// Until the script has ended or must end; returns why: "-" by itself.
const char* watch(const Limits& limits, Child& script) {
  const timespec tick{.tv_sec = 0, .tv_nsec = kTickMs * 1'000'000L};
  sigset_t while_asleep;  // a child that ends before the sleep ends it, too
  sigemptyset(&while_asleep);
  long kill_at = 0;
  while (true) {
    reap(script);
    if (script.ended)
      return kill_at > 0 ? "stopped" : "-";
    if (kill_at > 0 && now_ms() >= kill_at)
      return "stopped";
    pollfd control{.fd = kControl, .events = POLLIN, .revents = 0};
    if (ppoll(&control, 1, &tick, &while_asleep) > 0) {
      char byte = 0;
      const ssize_t got = read(kControl, &byte, 1);
      if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        return "orphaned";
      if (got == 1 && kill_at == 0) {
        kill_at = now_ms() + limits.grace_ms;
        signal_all(SIGTERM);
      }
    }
    if (const char* why = limit_reached(limits))
      return why;
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 8)
    return 2;
  const Limits limits{words[1],
                      strtoull(words[2], nullptr, 10),
                      strtoull(words[3], nullptr, 10),
                      strtoull(words[4], nullptr, 10),
                      strtol(words[5], nullptr, 10),
                      strtol(words[6], nullptr, 10)};
  syscall(SYS_close_range, 5U, ~0U, 0U);
  fcntl(kControl, F_SETFD, FD_CLOEXEC);
  fcntl(kTell, F_SETFD, FD_CLOEXEC);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "tarn_keeper");
  setsid();
  for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
    signal(one, SIG_IGN);
  struct sigaction child{};
  child.sa_handler = hear_child;
  sigaction(SIGCHLD, &child, nullptr);
  sigset_t awake;
  sigemptyset(&awake);
  sigaddset(&awake, SIGCHLD);
  sigprocmask(SIG_SETMASK, &awake, nullptr);
  has_children_files = access("/proc/thread-self/children", R_OK) == 0;
  Child script;
  const pid_t self = getpid();
  script.pid = fork();
  if (script.pid == 0)
    become_script(limits, words + 7, self);
  if (script.pid < 0) {
    dprintf(kTell, "exec %d\n", errno);
    return 1;
  }
  const char* why = watch(limits, script);
  const int left = kill_all(script);
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const long long cpu_us = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000LL +
                           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  dprintf(kTell, "end %d %d %s %d %lld %ld\n", WIFEXITED(script.status) ? WEXITSTATUS(script.status) : -1,
          WIFSIGNALED(script.status) ? WTERMSIG(script.status) : 0, why, left, cpu_us, used.ru_maxrss);
  return 0;
}
