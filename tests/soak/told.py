"""The other sides of four channels, and their faults: a webhook, Slack, Twilio, and a mail server with TLS and a login.

Each notes what arrives, and what it answered for good. A fault is drawn for each arrival while `faulty` is set: the
answers that the services document (429 with Retry-After, 503), no answer at all, a connection that is closed without
one, and a delivery that is taken although its answer never leaves.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ..bench.server import free_port

HANG_SECONDS = 1.5  # longer than the notifiers wait
CHANNELS, EVENTS = ("hook", "slack", "phone", "mail"), ("opened", "resolved")
_FAULTS = ("429", "503", "closed", "silent", "taken and closed")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One attempt of a delivery. `delivery_id` is empty where the channel has no place for it (a text message)."""

    channel: str
    delivery_id: str
    incident: int
    event: str
    title: str
    is_taken: bool
    """It is there for the people, whatever the answer says."""
    is_answered: bool
    """And the sender was told so."""


@dataclass
class Arrivals:
    """All attempts in the order in which they came."""

    random: Random
    faulty: bool = True
    all: list[Arrival] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self) -> str | None:
        with self.lock:
            return self.random.choice(_FAULTS) if self.faulty and self.random.random() < 0.35 else None

    def note(self, channel: str, what: tuple[str, int, str, str], fault: str | None) -> None:
        taken = fault in (None, "taken and closed")
        with self.lock:
            self.all.append(Arrival(channel, *what, is_taken=taken, is_answered=fault is None))


class Http(ThreadingHTTPServer):
    """The webhook at `/hook`, Slack at `/slack/`, and Twilio at the rest."""

    daemon_threads = True

    def __init__(self, arrivals: Arrivals) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrivals, self.url = arrivals, f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Http
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed on the way: this is no delivery
            self.close_connection = True
            return
        fault = self.server.arrivals.fault()
        if self.path == "/slack/chat.update":  # the first message says the state of now: no message of its own
            channel, answer = "slack", {"ok": True, "channel": "C1", "ts": "1.0"}
        else:
            channel, what, answer = self._read(body.decode())
            self.server.arrivals.note(channel, what, fault)
        if fault in ("closed", "silent", "taken and closed"):
            time.sleep(HANG_SECONDS if fault == "silent" else 0)
            self.close_connection = True
        elif fault is not None:
            refused = {"ok": False, "error": "ratelimited"} if channel == "slack" else {"code": 20429, "message": "no"}
            self._answer(int(fault), refused, {"Retry-After": "1"})
        else:
            self._answer(201 if channel == "phone" else 200, answer, {})

    def _read(self, body: str) -> tuple[str, tuple[str, int, str, str], dict[str, Any]]:
        if self.path == "/hook":
            told = json.loads(body)
            return "hook", (told["delivery_id"], told["incident_id"], told["event"], told["title"]), {}
        if self.path.startswith("/slack/"):
            told = json.loads(body)
            ids = told["metadata"]["event_payload"]
            what = (ids["delivery_id"], ids["incident_id"], *_said(told["text"]))
            return "slack", what, {"ok": True, "channel": "C1", "ts": "1.0"}
        text = parse_qs(body)["Body"][0]
        incident = int(text.rpartition("/")[2])
        return "phone", ("", incident, *_said(text)), {"sid": "SM1", "status": "queued"}

    def _answer(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(content)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Mail:
    """A mail server that takes mails only encrypted and with a login. `authority` is the certificate to trust."""

    def __init__(self, arrivals: Arrivals, folder: Path) -> None:
        issuer = trustme.CA()
        self.authority = folder / "authority.pem"
        issuer.cert_pem.write_to_path(str(self.authority))
        context = _server_context(issuer)
        self.port = free_port()
        self._controller = Controller(
            _Mails(arrivals),
            hostname="127.0.0.1",
            port=self.port,
            require_starttls=True,
            tls_context=context,
            auth_required=True,
            authenticator=_authenticated,
        )
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


class _Mails:
    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        match = re.search(r"<incident-(\d+)@", mail["References"])
        assert match is not None
        fault = self._arrivals.fault()
        self._arrivals.note("mail", (mail["X-Cordwood-Delivery"], int(match[1]), *_said(str(mail["Subject"]))), fault)
        if fault in ("429", "503"):
            return "451 4.3.0 later"
        if fault is not None:
            await asyncio.sleep(HANG_SECONDS if fault == "silent" else 0)
            assert server.transport is not None
            server.transport.abort()
        return "250 2.0.0 taken"


def _authenticated(_: SMTP, __: Session, ___: Envelope, mechanism: str, data: object) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"cordwood", b"hush-hush")
    return AuthResult(success=is_right and mechanism in ("PLAIN", "LOGIN"))


def _server_context(issuer: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def _said(text: str) -> tuple[str, str]:
    """(event, title) of a headline such as `[RESOLVED] panics: 1 event`."""
    line = text.splitlines()[0]
    return "resolved" if line.startswith("[RESOLVED]") else "opened", line


def config(http: Http, mail: Mail) -> str:
    """The YAML of a server that tells all four of each `run` within a second, and again when it is over."""
    notifiers = {
        "hook": {"type": "webhook", "url": f"{http.url}/hook", "timeout": "1s"},
        "slack": {
            "type": "slack",
            "token": "xoxb-1",
            "channel": "#ops",
            "api_url": f"{http.url}/slack/",
            "timeout": "1s",
        },
        "phone": {
            "type": "sms",
            "account_sid": "AC1",
            "auth_token": "hush-hush",
            "sender": "+15005550006",
            "to": "+491701234567",
            "api_url": http.url,
            "timeout": "1s",
        },
        "mail": {
            "type": "email",
            "host": "127.0.0.1",
            "port": mail.port,
            "username": "cordwood",
            "password": "hush-hush",
            "sender": "cordwood@example.com",
            "to": ["ops@example.com"],
            "timeout": "1s",
        },
    }
    detector = {
        "type": "match",
        "query": "panic",
        "by": ["run"],
        "window": "2s",
        "every": "1s",
        "resolve_after": "0s",
        "notify": list(CHANNELS),
    }
    return json.dumps({"version": 1, "detectors": {"panics": detector}, "notifiers": notifiers})
