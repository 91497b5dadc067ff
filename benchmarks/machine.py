"""
Description of the machine and of the versions that a run was made with.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]

PACKAGES = ("Twisted", "treq", "aiohttp", "msgspec", "orjson")


def describe() -> dict[str, str]:
    """
    Return a description of the machine and of the versions, by the name of each
    part.
    """
    return {
        "CPU": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": _memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: found for name in PACKAGES if (found := _version(name))},
        "revision": _revision(),
        "load": load(),
    }


def load() -> str:
    """
    Return the number of processes that were runnable in the last minute, on
    average.
    """
    return f"{os.getloadavg()[0]:.1f}"


def text(machine: Mapping[str, str], after: str) -> str:
    """
    Format a description as two lines.

    @param after: the load at the end.
    """
    versions = [f"{name} {machine[name]}" for name in PACKAGES if name in machine]
    return (
        f"{machine['CPU']}, {machine['cores']} cores, {machine['memory']} memory,"
        f" {machine['kernel']}; load {machine['load']}, {after} at the end\n"
        f"{machine['Python']}, {', '.join(versions)}; revision {machine['revision']}"
    )


def isSame(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """
    Tell whether two descriptions are of machines and versions that look alike.
    """
    return all(
        one.get(name) == other.get(name)
        for name in {*one, *other} - {"revision", "load"}
    )


def _field(file: str, name: str) -> str:
    try:
        content = Path(file).read_text(encoding="utf-8")
    except OSError:
        return ""
    for each in content.splitlines():
        key, _, value = each.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _memory() -> str:
    kib = _field("/proc/meminfo", "MemTotal").partition(" ")[0]
    return f"{int(kib) / 2**20:.0f} GiB" if kib else "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _revision() -> str:
    argv = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(
            argv, cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
