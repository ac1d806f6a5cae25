"""ClickHouse's HTTP interface over chdb, as a process: forms with tables and parameters, users, `KILL QUERY`.

`python -m tests.query.clickhouse_server PORT FOLDER`. While FOLDER has the file `hold`, queries wait until they are
killed; `requests` there has a line of JSON for each request. Format: clickhouse.com/docs/interfaces/http.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "cordwood", "s3cret word"
OF_HTTP = {"query_id", "database", "wait_end_of_query", "param_id"}  # parameters of a request that are no settings


class Server:
    """The process."""

    def __init__(self, port: int, folder: Path) -> None:
        self.folder = folder
        self.url = f"clickhouse://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}"
        command = [sys.executable, "-m", "tests.query.clickhouse_server", str(port), str(folder)]
        self._process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the front of chdb does not start") from None
                time.sleep(0.05)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What was asked, as it came."""
        return [json.loads(line) for line in (self.folder / "requests").read_text().splitlines()]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Front(ThreadingHTTPServer):
    """What all requests share."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path) -> None:
        import chdb

        super().__init__(("127.0.0.1", port), Handler)
        self.folder, self.lock, self.killed = folder, Lock(), set[str]()
        (folder / "requests").write_text("")
        self.connection = chdb.connect(":memory:")

    def run(self, sql: str, settings: dict[str, str], form: dict[str, bytes]) -> bytes:
        """The answer; tables of the form are there meanwhile, as real ones: chdb knows no others."""
        tables = [name.removesuffix("_structure") for name in form if name.endswith("_structure")]
        parameters = {name[6:]: value.decode() for name, value in form.items() if name.startswith("param_")}
        text, _, kind = sql.rpartition(" FORMAT ")
        # As of a user's session: all that is set counts, and `readonly` for the statement itself.
        given = ", ".join(
            f"{name} = '{value}'" for name, value in sorted(settings.items(), key=lambda item: item[0] == "readonly")
        )
        with self.lock:
            try:
                for name in tables:
                    (self.folder / name).write_bytes(form[name])
                    structure = form[f"{name}_structure"].decode()
                    self.connection.query(f"CREATE TABLE {name} ({structure}) ENGINE = Memory")
                    source = f"file('{self.folder / name}', '{form[f'{name}_format'].decode()}')"
                    self.connection.query(f"INSERT INTO {name} SELECT * FROM {source}")
                return bytes(self.connection.query(f"{text} SETTINGS {given}", kind, params=parameters).bytes())
            finally:
                for name in tables:
                    self.connection.query(f"DROP TABLE IF EXISTS {name}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query))
        form = fields(self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"])))
        sql = form["query"].decode()
        with self.server.lock, (self.server.folder / "requests").open("a") as log:
            log.write(json.dumps({"sql": sql, "parameters": parameters, "path": self.path, "form": list(form)}) + "\n")
        if (self.headers["X-ClickHouse-User"], self.headers["X-ClickHouse-Key"]) != (USER, PASSWORD):
            self._refuse(403, "Code: 516. DB::Exception: cordwood: Authentication failed. (AUTHENTICATION_FAILED)")
        elif sql.startswith("KILL QUERY"):
            self.server.killed.add(parameters["param_id"])
            self._answer(200, b"")
        else:
            self._query(sql, parameters, form)

    def _query(self, sql: str, parameters: dict[str, str], form: dict[str, bytes]) -> None:
        while (self.server.folder / "hold").exists():
            if parameters["query_id"] in self.server.killed:
                return self._refuse(500, "Code: 394. DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)")
            time.sleep(0.01)
        settings = {name: value for name, value in parameters.items() if name not in OF_HTTP}
        try:
            return self._answer(200, self.server.run(sql, settings, form))
        except RuntimeError as why:
            return self._refuse(500, str(why))

    def _refuse(self, status: int, text: str) -> None:
        self._answer(status, re.sub(r"^.*?(?=Code: )", "", text, flags=re.DOTALL).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form by name."""
    boundary = content_type.partition("boundary=")[2].encode()
    found = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name is not None
        found[name[1].decode()] = value
    return found


if __name__ == "__main__":
    Front(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
