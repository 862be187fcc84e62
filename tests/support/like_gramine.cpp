// SPDX-License-Identifier: Apache-2.0

// Runs a program with the system calls that Gramine 1.9 has and no others: the rest end in ENOSYS,
// and socket options that it lacks in ENOPROTOOPT. It shows what a program asks for, not how
// Gramine answers: its epoll, for one, differs from Linux in other ways. usage: like_gramine
// PROGRAM [ARGUMENT...]

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

// What Gramine's table (libos/src/arch/x86_64/libos_table.c) names a function for, without flock,
// which a manifest has to switch on.
// clang-format off
constexpr std::array kSystemCalls = {
    SYS_read, SYS_write, SYS_open, SYS_close, SYS_stat, SYS_fstat, SYS_lstat, SYS_poll,
    SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_ioctl, SYS_pread64, SYS_pwrite64, SYS_readv,
    SYS_writev, SYS_access, SYS_pipe, SYS_select, SYS_sched_yield, SYS_msync, SYS_mincore,
    SYS_madvise, SYS_dup, SYS_dup2, SYS_pause, SYS_nanosleep, SYS_getitimer, SYS_alarm,
    SYS_setitimer, SYS_getpid, SYS_sendfile, SYS_socket, SYS_connect, SYS_accept, SYS_sendto,
    SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_bind, SYS_listen, SYS_getsockname,
    SYS_getpeername, SYS_socketpair, SYS_setsockopt, SYS_getsockopt, SYS_clone, SYS_fork,
    SYS_vfork, SYS_execve, SYS_exit, SYS_wait4, SYS_kill, SYS_uname, SYS_fcntl, SYS_fsync,
    SYS_fdatasync, SYS_truncate, SYS_ftruncate, SYS_getdents, SYS_getcwd, SYS_chdir, SYS_fchdir,
    SYS_rename, SYS_mkdir, SYS_rmdir, SYS_creat, SYS_unlink, SYS_readlink, SYS_chmod,
    SYS_fchmod, SYS_chown, SYS_fchown, SYS_umask, SYS_gettimeofday, SYS_getrlimit, SYS_sysinfo,
    SYS_getuid, SYS_getgid, SYS_setuid, SYS_setgid, SYS_geteuid, SYS_getegid, SYS_setpgid,
    SYS_getppid, SYS_getpgrp, SYS_setsid, SYS_getgroups, SYS_setgroups, SYS_getpgid, SYS_getsid,
    SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_mknod,
    SYS_statfs, SYS_fstatfs, SYS_getpriority, SYS_setpriority, SYS_sched_setparam,
    SYS_sched_getparam, SYS_sched_setscheduler, SYS_sched_getscheduler,
    SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_sched_rr_get_interval,
    SYS_mlock, SYS_munlock, SYS_mlockall, SYS_munlockall, SYS_arch_prctl, SYS_setrlimit,
    SYS_chroot, SYS_sethostname, SYS_setdomainname, SYS_gettid, SYS_getxattr, SYS_lgetxattr,
    SYS_fgetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr, SYS_tkill, SYS_time,
    SYS_futex, SYS_sched_setaffinity, SYS_sched_getaffinity, SYS_epoll_create, SYS_getdents64,
    SYS_set_tid_address, SYS_fadvise64, SYS_clock_gettime, SYS_clock_getres,
    SYS_clock_nanosleep, SYS_exit_group, SYS_epoll_wait, SYS_epoll_ctl, SYS_tgkill, SYS_mbind,
    SYS_waitid, SYS_openat, SYS_mkdirat, SYS_mknodat, SYS_fchownat, SYS_newfstatat,
    SYS_unlinkat, SYS_renameat, SYS_readlinkat, SYS_fchmodat, SYS_faccessat, SYS_pselect6,
    SYS_ppoll, SYS_set_robust_list, SYS_get_robust_list, SYS_epoll_pwait, SYS_eventfd,
    SYS_fallocate, SYS_accept4, SYS_eventfd2, SYS_epoll_create1, SYS_dup3, SYS_pipe2,
    SYS_recvmmsg, SYS_prlimit64, SYS_sendmmsg, SYS_getcpu, SYS_getrandom, SYS_mlock2,
    SYS_close_range};
// clang-format on

constexpr std::array kTcpOptions = {TCP_NODELAY,   TCP_MAXSEG,  TCP_CORK,        TCP_KEEPIDLE,
                                    TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT};

using Program = std::vector<sock_filter>;

constexpr std::uint32_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint32_t kEqual = BPF_JMP | BPF_JEQ | BPF_K;

// The lower half of an argument; options and families fit in it.
constexpr std::uint32_t argument(std::uint32_t number) {
  return offsetof(seccomp_data, args) + 8 * number;
}

void load(Program& program, std::uint32_t offset) { program.push_back(BPF_STMT(kLoad, offset)); }

void answer(Program& program, std::uint32_t action) {
  program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}

// if (loaded == value) answer
void answer_if(Program& program, std::uint32_t value, std::uint32_t action) {
  program.push_back(BPF_JUMP(kEqual, value, 0, 1));
  answer(program, action);
}

// if (loaded == value) the statements of body, which must end in an answer
void when(Program& program, std::uint32_t value, const Program& body) {
  program.push_back(BPF_JUMP(kEqual, value, 0, static_cast<std::uint8_t>(body.size())));
  program.insert(program.end(), body.begin(), body.end());
}

Program socket_options() {
  Program tcp;
  load(tcp, argument(2));
  for (const int option : kTcpOptions) answer_if(tcp, option, SECCOMP_RET_ALLOW);
  answer(tcp, SECCOMP_RET_ERRNO | ENOPROTOOPT);
  Program body;
  load(body, argument(1));
  when(body, IPPROTO_TCP, tcp);
  answer(body, SECCOMP_RET_ALLOW);
  return body;
}

Program sockets() {
  Program body;
  load(body, argument(0));
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    answer_if(body, family, SECCOMP_RET_ALLOW);
  }
  answer(body, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
  return body;
}

Program filter() {
  Program program;
  load(program, offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(kEqual, AUDIT_ARCH_X86_64, 1, 0));
  answer(program, SECCOMP_RET_KILL_PROCESS);
  load(program, offsetof(seccomp_data, nr));
  when(program, SYS_setsockopt, socket_options());
  when(program, SYS_getsockopt, socket_options());
  when(program, SYS_socket, sockets());
  for (const long call : kSystemCalls) {
    answer_if(program, static_cast<std::uint32_t>(call), SECCOMP_RET_ALLOW);
  }
  answer(program, SECCOMP_RET_ERRNO | ENOSYS);
  return program;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: like_gramine PROGRAM [ARGUMENT...]\n", stderr);
    return 2;
  }
  Program program = filter();
  const sock_fprog loaded{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) != 0) {
    std::fprintf(stderr, "like_gramine: no filter: %s\n", std::strerror(errno));
    return 2;
  }
  execvp(arguments[1], arguments + 1);
  std::fprintf(stderr, "like_gramine: %s: %s\n", arguments[1], std::strerror(errno));
  return 2;
}
