"""The walls that a process of the jail puts around itself, just before it runs learner code. Linux only.

bubblewrap has built the outer ones: what there is to see, and the namespaces. What is left is what only the process
itself can do: become a user of its own, give up every right, and limit what it and its children may use and ask of
the kernel. Nothing here can be undone by the process, nor by a child of it.

The file runs inside the jail, where only it, `inside` and utils are to be had of the course.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)

# An interpreter with torch, before any learner code: 3.2 GB of address space in the CUDA build.
ADDRESS_SPACE = 3584 * 2**20

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 22, 24, 38, 47
NEW_NAMESPACES = {"mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
                  "pid": 0x20000000, "net": 0x40000000}  # fmt: skip
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18


class Breach(RuntimeError):
    """A wall is not where it should be: no learner code may run."""


def call(name: str, *arguments) -> int:
    """A function of the C library, with Python's errors."""
    result = getattr(libc, name)(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def split(keep: int | None = None) -> int | None:
    """Fork. The parent, first process of its namespaces, stays out of the child's reach and buries whoever dies there.

    Of its file descriptors it keeps one at most.

    Returns
    -------
    int or None
        None in the child, which is to run learner code. In the parent how the child ended: its exit code, or 128 plus
        the number of a signal.
    """
    # The two may be the same user, and the parent is not confined as the child is: its memory is not to be opened.
    call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
    child = os.fork()
    if not child:
        return None
    for number in map(int, os.listdir("/proc/self/fd")):
        if number != keep:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(number)
    drop_bounding_set()
    drop_capabilities()
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def confine(limits: dict, uid: int | None) -> None:
    """Become `uid` (None: stay who you are) without any rights, within `limits`; see `grading.jail.Limits`.

    Raises
    ------
    Breach
        If any of it did not take effect.
    """
    if os.geteuid() == 0:
        if not uid:
            raise Breach("the jail was started as root and no other user was named to become")
        drop_bounding_set()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    drop_bounding_set()
    drop_capabilities()
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    limit(limits)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows too large is an error of the write
    filter_system_calls()
    inspect(limits)


def kill_others() -> None:
    """End every process of this namespace but its first and this one.

    Raises
    ------
    Breach
        If this is not the second process of a namespace: outside a jail "every process" would be everybody's.
    """
    if (os.getpid(), os.getppid()) != (2, 1):
        raise Breach("not in a process namespace of its own")
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # none is left
        while True:
            os.waitpid(-1, 0)


def drop_bounding_set() -> None:
    """Never get a right back. Needs a right itself, so it comes first; `inspect` looks whether it worked."""
    for capability in range(64):
        with contextlib.suppress(OSError):
            call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)


def drop_capabilities() -> None:
    call("prctl", PR_CAP_AMBIENT, 4, 0, 0, 0)  # 4: clear them all
    header = struct.pack("Ii", 0x20080522, 0)
    call("capset", header, bytes(24))


def limit(limits: dict) -> None:
    """Limits of this process and, one by one, of each of its children; none can be raised again."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(spent.ru_utime + spent.ru_stime + limits["cpu"]) + 1
    most = {
        resource.RLIMIT_AS: ADDRESS_SPACE + limits["memory"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_FSIZE: limits["disk"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for kind, value in most.items():
        resource.setrlimit(kind, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 2))


# System calls by number (x86-64, arm64): none of them has a place in an exercise. They reach other processes, build
# namespaces, reach the kernel's rarely used corners, or hold memory that belongs to no process and so to no limit.
DENIED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "setns": (308, 268), "unshare": (272, 97),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "syslog": (103, 116),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "seccomp": (317, 277),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "vhangup": (153, 58),
    "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180),
}  # fmt: skip
SPECIAL = {"clone": (56, 220), "clone3": (435, 435), "socket": (41, 198)}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, and the kernel's name for it
FAMILIES = (1, 2, 10)  # UNIX, IPv4 and IPv6 end at the namespace; others (vsock) would lead out of it
ALLOW, ERROR = 0x7FFF0000, 0x00050000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97


def program(machine: str) -> bytes:
    """The filter of system calls, as the kernel's little machine (classic BPF) reads it.

    Raises
    ------
    Breach
        If the numbers of this machine's system calls are not known here.
    """
    if machine not in MACHINES:
        raise Breach(f"no filter of system calls for a {machine} processor, only for {' and '.join(MACHINES)}")
    column, architecture = MACHINES[machine]

    def load(offset):
        return (0x20, 0, 0, offset)

    def answer(verdict):
        return (0x06, 0, 0, verdict)

    def unless_equal(value, skip):
        return (0x15, 0, skip, value)

    lines = [load(4), (0x15, 1, 0, architecture), answer(ERROR | EPERM), load(0)]
    if machine == "x86_64":  # the 32-bit names of the same calls
        lines += [(0x35, 0, 1, 0x40000000), answer(ERROR | EPERM)]
    for numbers in DENIED.values():
        if numbers[column] is not None:
            lines += [unless_equal(numbers[column], 1), answer(ERROR | EPERM)]
    # Its arguments lie in memory, where a filter cannot look: the C library then falls back on clone.
    lines += [unless_equal(SPECIAL["clone3"][column], 1), answer(ERROR | ENOSYS)]
    namespaces = sum(NEW_NAMESPACES.values())
    lines += [unless_equal(SPECIAL["clone"][column], 4), load(16), (0x45, 0, 1, namespaces), answer(ERROR | EPERM)]
    lines += [answer(ALLOW)]
    lines += [unless_equal(SPECIAL["socket"][column], 3 + len(FAMILIES)), load(16)]
    lines += [(0x15, len(FAMILIES) - i, 0, family) for i, family in enumerate(FAMILIES)]
    lines += [answer(ERROR | EAFNOSUPPORT), answer(ALLOW)]
    lines += [answer(ALLOW)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def filter_system_calls() -> None:
    code = program(platform.machine())
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    call("prctl", PR_SET_SECCOMP, 2, ctypes.c_char_p(header), 0, 0)  # 2: by a filter


def inspect(limits: dict) -> None:
    """Raise Breach unless the walls stand."""
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    rights = {key: status[key].strip() for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")}
    if any(int(value, 16) for value in rights.values()):
        raise Breach(f"rights are left: {rights}")
    if "0" in status["Uid"].split() or "0" in status["Gid"].split():
        raise Breach(f"still root: user {status['Uid'].split()}, group {status['Gid'].split()}")
    if status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2":
        raise Breach("new rights could be had, or the system calls are not filtered")
    if resource.getrlimit(resource.RLIMIT_NPROC)[1] != limits["processes"]:
        raise Breach("the number of processes is not limited")
    if (os.getpid(), os.getppid()) != (2, 1):
        raise Breach(f"it is process {os.getpid()}, child of {os.getppid()}: this is no process namespace of its own")


# Only for a jail that is forked from an interpreter which has torch loaded already (see `inside.wait_for_work`).


def enter_namespaces() -> None:
    """Leave the namespaces this process shares with the interpreter it was forked from. Its next child is their first.

    As a user this needs a user namespace too, in which the user is the same and has every right over the new ones.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = sum(flag for name, flag in NEW_NAMESPACES.items() if name != "user" or uid != 0)
    call("unshare", flags)
    if uid != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{uid} {uid} 1")
        write("/proc/self/gid_map", f"{gid} {gid} 1")
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)


def mount_own(limits: dict) -> None:
    """An empty disk of its own, and /proc with its own processes only, over those of the interpreter."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    room = f"size={limits['disk']},nr_inodes={limits['inodes']},mode=1777".encode()
    for folder in (b"/learner", b"/dev/shm"):
        call("mount", b"tmpfs", folder, b"tmpfs", flags & ~MS_NOEXEC, room)
    call("mount", b"proc", b"/proc", b"proc", flags, None)
    os.makedirs("/learner/home")
    os.makedirs("/learner/tmp")
    for folder in ("/learner/home", "/learner/tmp"):
        os.chmod(folder, 0o777)
    os.chdir("/learner/home")


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
