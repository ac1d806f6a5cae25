"""Clients of syslog over a kill: rsyslog, syslog-ng, logger, nginx, Python's handler."""

from __future__ import annotations

import http.client
import logging
import logging.handlers
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..conftest import free_port
from ..services import SYSLOG_NG_LIBRARIES, find_logger, find_nginx, find_rsyslog, find_syslog_ng
from .brokers import listens
from .killing import Client, Loss, Send, Stage, program
from .listening import certificates

OCTETS = 'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'
RETRY = 'action.resumeRetryCount="-1" action.resumeInterval="1"'


def udp(stage: Stage) -> dict[str, Any]:
    return {"type": "syslog", "udp": f"127.0.0.1:{stage.port}"}


def tcp(stage: Stage) -> dict[str, Any]:
    return {"type": "syslog", "tcp": f"127.0.0.1:{stage.port}"}


def tls(stage: Stage) -> dict[str, Any]:
    pem = certificates(stage.folder)
    files = {"cert_file": str(pem["server"]), "key_file": str(pem["server_key"]), "client_ca_file": str(pem["ca"])}
    return {"type": "syslog", "tls": {"listen": f"127.0.0.1:{stage.port}", **files}}


def rsyslog(action: str, options: str = "") -> Callable[[Stage], Any]:
    """rsyslog's daemon with this action; it is given its messages by a socket as /dev/log is one."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        path = stage.folder / "in"
        taken = f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{path}")'
        rsyslogd(stage, taken, action, options)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            while not path.exists():
                time.sleep(0.01)
            log.connect(str(path))
            yield lambda n: log.sendall(f"<14>Jan 31 12:00:00 shop: {stage.text(n)}".encode())

    return opened


def rsyslogd(stage: Stage, taken: str, action: str, options: str = "") -> None:
    """The daemon, until the end of the stage."""
    folder = stage.folder
    config = folder / "rsyslog.conf"
    places = {"FOLDER": str(folder), "WEB": str(stage.server.port), "PORT": str(stage.port)}
    for place, value in places.items():
        action, options = action.replace(place, value), options.replace(place, value)
    config.write_text(f'global(workDirectory="{folder}" {options})\n{taken}\n{action}\n')
    command = (str(find_rsyslog()), "-n", "-f", config, "-i", folder / "pid")
    stage.daemons.enter_context(program(stage, *command))


@contextmanager
def rsyslog_file(stage: Stage) -> Iterator[Send]:
    """rsyslog that follows a file."""
    path = stage.folder / "app.log"
    taken = f'module(load="imfile")\ninput(type="imfile" File="{path}" Tag="shop:")'
    rsyslogd(stage, taken, f'action(type="omfwd" target="127.0.0.1" port="PORT" {OCTETS} {RETRY})')
    with path.open("w") as log:

        def send(n: int) -> None:
            log.write(f"{stage.text(n)}\n")
            log.flush()

        yield send


def logger(protocol: str) -> Callable[[Stage], Any]:
    """`logger` for a hundred lines at a time; where it finds nobody it is run again."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        lines: list[str] = []
        command = [str(find_logger()), f"--{protocol}", "--server", "127.0.0.1", "--port", str(stage.port)]
        command += ["--rfc5424", "--tag", "shop"]

        def flush() -> None:
            text = "".join(f"{line}\n" for line in lines).encode()
            lines.clear()
            give_up = time.monotonic() + 60
            while subprocess.run(command, input=text, capture_output=True, check=False).returncode:
                assert time.monotonic() < give_up
                time.sleep(0.1)

        def send(n: int) -> None:
            lines.append(stage.text(n))
            if len(lines) == 100:
                flush()

        yield send
        flush()

    return opened


def syslog_ng_command(folder: Path, config: str) -> tuple[list[str], dict[str, str]]:
    """How syslog-ng is run with this configuration, and its environment."""
    path = folder / "syslog-ng.conf"
    path.write_text(f"@version: 3.38\n{config}")
    (modules,) = SYSLOG_NG_LIBRARIES.glob("3.*")
    command = [
        str(find_syslog_ng()),
        "--foreground",
        "--no-caps",
        "--module-path",
        str(modules),
        "--cfgfile",
        str(path),
    ]
    for option in ("persist-file", "pidfile", "control"):
        command += [f"--{option}", str(folder / option)]
    return command, {"LD_LIBRARY_PATH": str(SYSLOG_NG_LIBRARIES)}


@contextmanager
def syslog_ng(stage: Stage) -> Iterator[Send]:
    """syslog-ng, which speaks RFC 5424 by TCP."""
    path = stage.folder / "in"
    command, environment = syslog_ng_command(
        stage.folder,
        f'options {{ time-reopen(1); }};\nsource app {{ unix-dgram("{path}" flags(no-hostname)); }};\n'
        f'destination cordwood {{ syslog("127.0.0.1" transport("tcp") port({stage.port})); }};\n'
        "log { source(app); destination(cordwood); flags(flow-control); };\n",
    )
    stage.daemons.enter_context(program(stage, *command, env=environment))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        while not path.exists():
            time.sleep(0.01)
        log.connect(str(path))
        yield lambda n: log.sendall(f"<14>Jan 31 12:00:00 shop: {stage.text(n)}".encode())


def nginx_command(folder: Path, port: int, logging: str) -> list[str]:
    """How nginx is run that answers at this port, with these directives about its log."""
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  {logging}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
""")
    return [str(find_nginx()), "-e", "stderr", "-c", str(config)]


@contextmanager
def nginx(stage: Stage) -> Iterator[Send]:
    """nginx, whose access log goes to syslog by UDP; a request is an event."""
    port = free_port()
    format_ = f"log_format numbered '{stage.name} event $arg_n';"
    command = nginx_command(
        stage.folder, port, f"{format_} access_log syslog:server=127.0.0.1:{stage.port},tag=nginx numbered;"
    )
    process = stage.daemons.enter_context(program(stage, *command))
    listens(port, process)
    asking = http.client.HTTPConnection("127.0.0.1", port)

    def send(n: int) -> None:
        asking.request("GET", f"/?n={n}")
        asking.getresponse().read()

    yield send
    asking.close()


@contextmanager
def python(stage: Stage) -> Iterator[Send]:
    """Python's SysLogHandler, as it comes: by UDP."""
    handler = logging.handlers.SysLogHandler(("127.0.0.1", stage.port))
    handler.ident = "shop: "
    yield lambda n: handler.emit(logging.makeLogRecord({"msg": stage.text(n)}))
    handler.close()


RSYSLOG: Mapping[str, Client] = {
    "rsyslog-udp": Client(
        rsyslog('action(type="omfwd" target="127.0.0.1" port="PORT" protocol="udp")'), Loss.AWAY, udp
    ),
    "rsyslog-tcp": Client(
        rsyslog(f'action(type="omfwd" target="127.0.0.1" port="PORT" protocol="tcp" {RETRY})'), Loss.UNACKNOWLEDGED, tcp
    ),
    "rsyslog-5424": Client(
        rsyslog(f'action(type="omfwd" target="127.0.0.1" port="PORT" {OCTETS} {RETRY})'), Loss.UNACKNOWLEDGED, tcp
    ),
    "rsyslog-tls": Client(
        rsyslog(
            f'action(type="omfwd" target="127.0.0.1" port="PORT" {OCTETS} {RETRY} '
            'StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid")',
            'DefaultNetstreamDriverCAFile="FOLDER/ca.pem" DefaultNetstreamDriverCertFile="FOLDER/client.pem" '
            'DefaultNetstreamDriverKeyFile="FOLDER/client_key.pem"',
        ),
        Loss.UNACKNOWLEDGED,
        tls,
    ),
    "rsyslog-imfile": Client(rsyslog_file, Loss.UNACKNOWLEDGED, tcp),
    "rsyslog-omelasticsearch": Client(
        rsyslog(
            'module(load="omelasticsearch")\n'
            'template(name="event" type="string" string="{\\"message\\":\\"%msg:::json%\\"}")\n'
            'action(type="omelasticsearch" server="127.0.0.1" serverport="WEB" bulkmode="on" template="event" '
            f'searchIndex="logs" searchType="" queue.type="LinkedList" queue.dequeueBatchSize="500" {RETRY} '
            # Of a queue's usual 1,000 it drops what finds no room for two seconds.
            'queue.size="20000")'
        ),
        Loss.NOTHING,
        again=500,
    ),
}
OTHERS: Mapping[str, Client] = {
    "logger-udp": Client(logger("udp"), Loss.AWAY, udp),
    "logger-tcp": Client(logger("tcp"), Loss.UNACKNOWLEDGED, tcp),
    "syslog-ng": Client(syslog_ng, Loss.UNACKNOWLEDGED, tcp),
    "nginx": Client(nginx, Loss.AWAY, udp),
    "python-syslog": Client(python, Loss.AWAY, udp),
}
