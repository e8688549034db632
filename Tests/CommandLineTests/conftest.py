import signal
import ssl
import subprocess

import pytest

from command import BINARY, Command
from gateway import Gateway


def pytest_configure(config):
    # Under nohup the commands would inherit that HUP is ignored, and ignore it.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.addinivalue_line("markers", "slow: takes more than some seconds; left out unless asked for with --slow")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the long tests, too")
    parser.addoption("--kills", type=int, default=40, help="how many runs with a journal are killed")
    parser.addoption("--runs", type=int, default=20, help="how many runs have a random shape")
    parser.addoption("--seed", type=int, default=1, help="the first seed of runs that are killed or have a random shape")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs --slow"))


@pytest.fixture
def gateway():
    """A gateway over plain HTTP that takes everything. The test fails if any request was not as it must be."""
    server = Gateway().start()
    yield server
    server.stop()
    assert server.complaints == []


@pytest.fixture
def smspipe(tmp_path):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: swift build -c release --product smspipe", 1)
    command = Command(tmp_path)
    yield command
    command.end()


class Authority:
    """A throw-away certificate authority, made with the openssl command."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory / "ca.pem"
        self._openssl(
            *"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=smspipe-tests".split(),
            *("-keyout", directory / "ca.key", "-out", self.file),
        )

    def server(self, *names):
        """The TLS settings of a server known by these names."""
        kinds = [("IP:" if ":" in name or name.replace(".", "").isdigit() else "DNS:") + name for name in names]
        base = self.directory / names[0]
        extensions = base.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={','.join(kinds)}\nbasicConstraints=CA:FALSE\n")
        self._openssl(
            *"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(),
            *("-subj", f"/CN={names[0]}", "-keyout", base.with_suffix(".key"), "-out", base.with_suffix(".csr")),
        )
        self._openssl(
            *("x509", "-req", "-days", "2", "-in", base.with_suffix(".csr"), "-out", base.with_suffix(".pem")),
            *("-CA", self.file, "-CAkey", self.directory / "ca.key", "-CAcreateserial", "-extfile", extensions),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(base.with_suffix(".pem"), base.with_suffix(".key"))
        return context

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure_gateway(authority):
    server = Gateway(tls=authority.server("localhost", "127.0.0.1", "sms.example"), host="localhost").start()
    yield server
    server.stop()
    assert server.complaints == []
