"""A cage like a container's: another account, no rights, a read-only root. As root on Linux; else less of it."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "nobody"


@functools.cache
def can_mount() -> bool:
    """Whether we may have mounts of our own."""
    tools = all(shutil.which(name) for name in ("unshare", "setpriv"))
    if os.geteuid() != 0 or not tools:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


def confined(command: list[str], *, writable: Path) -> list[str]:
    """The command in a cage: everything but ``writable``, /dev/shm and /proc is read-only to it.

    Where we cannot mount, the command as it is: then only the mode of the image's files keeps it from writing them.
    """
    if not can_mount():
        return command
    steps = ["set -e", f"mount --bind {_q(writable)} {_q(writable)}", *_reachable()]
    steps += ["mount --bind / /", "mount -o remount,ro,bind /"]
    drop = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={_group()}", "--clear-groups", "--no-new-privs"]
    drop += ["--bounding-set=-all", "--inh-caps=-all"]
    steps.append(f'cd "$PWD"; exec {shlex.join(drop)} "$@"')
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(steps), "sh", *command]


def give(path: Path) -> None:
    """Let the account own it."""
    if can_mount():
        shutil.chown(path, ACCOUNT, _group())


def _group() -> str:
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(ACCOUNT).pw_gid).gr_name


def _q(path: Path) -> str:
    return shlex.quote(str(path))


def _reachable() -> list[str]:
    """Interpreter and packages may lie in somebody's home, closed to others: in the cage only they lie there."""
    needed = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), Path(sys.prefix).absolute().parent}
    closed = {gate for path in needed for gate in reversed(path.parents) if not gate.stat().st_mode & 0o001}
    outer = {gate for gate in closed if not closed & set(gate.parents)}
    steps = []
    for gate in sorted(outer):
        inside = sorted(path for path in needed if gate in path.parents)
        steps.append("aside=$(mktemp -d)")
        for number, path in enumerate(inside):
            steps += [f"mkdir $aside/{number}", f"mount --bind {_q(path)} $aside/{number}"]
        steps.append(f"mount -t tmpfs -o mode=755 tmpfs {_q(gate)}")
        for number, path in enumerate(inside):
            steps += [f"mkdir -p {_q(path)}", f"mount --bind $aside/{number} {_q(path)}", f"umount $aside/{number}"]
        steps.append(f"mount -o remount,ro {_q(gate)}; rm -r $aside")
    return steps
