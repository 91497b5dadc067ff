"""
The installation of PostgreSQL for tests.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).with_name("install-postgresql.sh")

APT_GET = """\
#!/bin/sh
# As the scripts of Debian's packages do: make a cluster, and start it.
[ "$2" = update ] && exit
mkdir -p "$ROOT/usr/lib/postgresql/15/bin"
touch "$ROOT/usr/lib/postgresql/15/bin/initdb"
grep -q 'create_main_cluster = false' "$ROOT"/etc/postgresql-common/*/*.conf ||
    touch "$ROOT/cluster"
sh "$ROOT/usr/sbin/policy-rc.d" postgresql start || exit 0
touch "$ROOT/started"
"""


def test_install(tmp_path: Path) -> None:
    """
    PostgreSQL is installed without a cluster of the system, and no setting stays.
    """
    (tmp_path / "bin").mkdir()
    (tmp_path / "usr/sbin").mkdir(parents=True)
    for name, text in (("apt-get", APT_GET), ("id", "#!/bin/sh\necho 0\n")):
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    for wanted in ("Installing PostgreSQL", ""):
        done = subprocess.run(
            ["sh", SCRIPT],
            env={
                "PATH": f"{tmp_path}/bin{os.pathsep}/usr/bin:/bin",
                "ROOT": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith(wanted)
        assert done.stderr == ""
        assert bool(done.stdout) == bool(wanted)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"apt-get", "id", "initdb"}
