"""
Tests that need a program are skipped without it, or fail; and how the programs are
installed.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.irc.programs import program

SCRIPT = Path(__file__).with_name("install-programs.sh")
HAPROXY = Path(__file__).parents[1] / "fleet/install-haproxy.sh"


def test_found() -> None:
    """
    An installed program is found.
    """
    assert program("sh").endswith("/sh")


def test_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the program the test is skipped, with the program's name.
    """
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such is not installed"):
        program("no-such")


def test_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the program the test fails in continuous integration.
    """
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such is not installed"):
        program("no-such")


DPKG_QUERY = """\
#!/bin/sh
eval name=\\${$#}
[ -e "$ROOT/installed/$name" ] && printf installed
"""

APT_GET = """\
#!/bin/sh
# As the scripts of Debian's packages do: start the service, and at each boot.
[ "$2" = update ] && exit
while [ "$1" != --no-install-recommends ]; do shift; done
shift
for name in "$@"; do
    touch "$ROOT/installed/$name"
    case $name in atheme-services|haproxy|inspircd|ngircd) ;; *) continue;; esac
    touch "$ROOT/boots/$name"
    sh "$ROOT/usr/sbin/policy-rc.d" $name start || continue
    touch "$ROOT/started/$name"
done
"""

UPDATE_RC = """\
#!/bin/sh
[ "$2" = disable ] && rm "$ROOT/boots/$1"
"""


class System:
    """
    A Debian system of which there is only the package manager.

    @ivar root: its directory, with one file for each installed package, service
        that was started, and service that starts at boot.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("bin", "installed", "boots", "started", "usr/sbin"):
            (root / folder).mkdir(parents=True)
        for name, text in (
            ("apt-get", APT_GET),
            ("dpkg-query", DPKG_QUERY),
            ("id", "#!/bin/sh\necho ${USERID:-0}\n"),
            ("update-rc.d", UPDATE_RC),
        ):
            (root / "bin" / name).write_text(text, encoding="utf-8")
            (root / "bin" / name).chmod(0o755)

    def names(self, folder: str) -> set[str]:
        """
        Return the names of the files in a folder.
        """
        return {path.name for path in (self.root / folder).iterdir()}

    def install(
        self, script: Path = SCRIPT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """
        Run the script that installs the programs.
        """
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["sh", script],
            env=os.environ | {"PATH": path, "ROOT": str(self.root)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )


def test_install(tmp_path: Path) -> None:
    """
    The programs are installed, and the servers among them do not run as services.
    """
    system = System(tmp_path)
    done = system.install()
    assert (done.returncode, done.stderr) == (0, "")
    some = {"atheme-services", "inspircd", "irssi", "ngircd", "tmux"}
    assert some < system.names("installed")
    assert done.stdout.startswith("Installing programs for the tests of IRC")
    assert "ngircd does not run as a service" in done.stdout
    assert system.names("started") == system.names("boots") == set()
    for name in ("atheme-services", "inspircd", "ngircd"):
        unit = tmp_path / f"etc/systemd/system/{name}.service"
        assert unit.readlink() == Path(os.devnull)
    assert system.names("usr/sbin") == set()
    again = system.install()
    assert (again.returncode, again.stdout) == (0, "")


def test_installBesideServer(tmp_path: Path) -> None:
    """
    A server that was installed before, and the system's policy, stay as they are.
    """
    system = System(tmp_path)
    (tmp_path / "installed/ngircd").touch()
    (tmp_path / "boots/ngircd").touch()
    policy = tmp_path / "usr/sbin/policy-rc.d"
    policy.write_text("exit 101\n", encoding="utf-8")
    assert system.install().returncode == 0
    assert system.names("boots") == {"ngircd"}
    masked = {"atheme-services.service", "inspircd.service"}
    assert system.names("etc/systemd/system") == masked
    assert policy.read_text(encoding="utf-8") == "exit 101\n"


def test_installWithoutRoot(tmp_path: Path) -> None:
    """
    Without root nothing is installed, and the command that does it is shown.
    """
    system = System(tmp_path)
    (tmp_path / "installed/tmux").touch()
    done = system.install(USERID="1000")
    assert done.returncode == 1
    others = "inspircd irssi libsasl2-modules ngircd"
    packages = f"atheme-services finch ii {others} sic systemd weechat-headless"
    assert f"apt install {packages}" in done.stderr
    assert system.names("installed") == {"tmux"}


def test_installHAProxy(tmp_path: Path) -> None:
    """
    HAProxy is installed by a script of its own, and does not run as a service either.
    """
    system = System(tmp_path)
    done = system.install(HAPROXY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Installing programs for the tests of several server")
    assert system.names("installed") == {"haproxy"}
    assert system.names("started") == system.names("boots") == set()
    assert system.names("etc/systemd/system") == {"haproxy.service"}
