"""Mails against a real SMTP conversation on a socket."""

from __future__ import annotations

import email
import email.policy
import io
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from cordwood.notifiers.email import Email, EmailConfig
from cordwood.plugins import Chart, FatalError, Letter, Notification, RejectedError, RetryableError
from cordwood.plugins.conformance import notifier_contract
from PIL import Image
from pydantic import ValidationError

pytestmark = pytest.mark.anyio


class Smtp(socketserver.ThreadingTCPServer):
    """Keeps every mail; `answers` overrides the reply to a command, or (`RCPT x@y`) to one recipient."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.seen: list[str] = []
        self.behaviour, self.thawed = "success", threading.Event()


class _Conversation(socketserver.StreamRequestHandler):
    server: Smtp

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline().decode().strip():
            command = line.split(" ")[0].split(":")[0].upper()
            self.server.seen.append(line)
            recipient = f"RCPT {line[9:-1].split('>')[0]}" if command == "RCPT" else command
            if command == "MAIL" and self.server.behaviour in ("retryable", "permanent"):
                self._say("451 later" if self.server.behaviour == "retryable" else "550 no")
            elif recipient in self.server.answers:
                self._say(self.server.answers[recipient])
            elif command == "EHLO":
                self._say("250-test\r\n250 AUTH PLAIN")
            elif command == "AUTH":
                self._say("235 welcome")
            elif command == "DATA":
                self._say("354 go on")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part.removeprefix(b".") if part.startswith(b"..") else part
                self.server.mails.append(email.message_from_bytes(body, policy=email.policy.default))  # type: ignore[arg-type]
                self._say(self.server.answers.get("MAIL DATA", "250 taken"))
            else:
                self._say("250 ok")
            if self.server.behaviour == "hang":
                self.server.thawed.wait(5)
            if command == "QUIT":  # answered with 250 instead of 221, which must not count as a failure
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Peer:
    """The server as the contract's other side."""

    def __init__(self) -> None:
        self.server = Smtp()

    async def __aenter__(self) -> Peer:
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.thawed.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    @property
    def behaviour(self) -> str:
        return self.server.behaviour

    @behaviour.setter
    def behaviour(self, value: str) -> None:
        self.server.behaviour = value

    @property
    def received(self) -> int:
        return len(self.server.mails)

    @property
    def settings(self) -> dict[str, Any]:
        port = self.server.server_address[1]
        return {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "c@example.com", "to": ["ops@example.com"]}


test_contract = notifier_contract(Email, server=Peer)  # type: ignore[arg-type]


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    server = Smtp()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def mailer(smtp: Smtp, **config: Any) -> Email:
    settings = {"host": "127.0.0.1", "port": smtp.server_address[1], "tls": "none", "sender": "cordwood@example.com"}
    return Email(EmailConfig(**settings | {"to": ["ops@example.com", "ann@example.com"]} | config))


async def test_the_mail(smtp: Smtp, notification: Notification) -> None:
    told = replace(
        notification, title="errors: 62 errors für\r\nBcc: eve@example.com", samples=[{"message": ".\n.dot €"}]
    )
    assert await mailer(smtp).notify(told) == "taken for 2 of 2"
    (mail,) = smtp.mails
    assert mail["Subject"] == "[ERROR] errors: 62 errors für Bcc: eve@example.com"
    assert mail["Bcc"] is None
    assert (mail["From"], mail["To"]) == ("cordwood@example.com", "ops@example.com, ann@example.com")
    assert mail["Message-ID"] == f"<{notification.delivery_id}@example.com>"
    assert mail["References"] == mail["In-Reply-To"] == "<incident-7@example.com>"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert ". .dot €" in text
    assert notification.link in text
    assert "service: pay, n: 62" in text


async def test_the_mail_as_a_page(smtp: Smtp, notification: Notification) -> None:
    """What people's mail programs show: the figures, the chart as a part of the mail, and nothing that events wrote."""
    counts = [0, 3, 10, 1]
    told = replace(
        notification,
        group={"service": "<script>alert(1)</script>"},
        samples=[{"message": "<img src=https://eve.example/x> & more"}],
        acknowledge="http://c/ack/abc",
        chart=Chart("2026-01-31T11:50:00.000000000Z", "2026-01-31T12:00:00.000000000Z", counts),
    )
    await mailer(smtp).notify(told)
    (mail,) = smtp.mails
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    body = mail.get_body(("html",))
    assert body is not None
    page = body.get_content()
    *_, picture = mail.walk()
    assert f'src="cid:{picture["Content-ID"][1:-1]}"' in page
    assert "events from 2026-01-31 11:50:00 UTC to 2026-01-31 12:00:00 UTC, at most 10 in a bar" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;img src=https://eve.example/x&gt; &amp; more" in page
    assert re.findall(r"<(script|img)[^>]*", page) == ["img"]
    assert f'href="{told.link}"' in page
    assert 'href="http://c/ack/abc"' in page
    bars = Image.open(io.BytesIO(picture.get_content())).convert("RGB")
    assert bars.size == (48, 82)
    heights = [sum(bars.getpixel((12 * i + 5, y)) == (0xC9, 0x30, 0x2C) for y in range(82)) for i in range(4)]
    assert heights == [0, 24, 80, 8]


async def test_without_a_chart_the_page_has_no_picture(smtp: Smtp, notification: Notification) -> None:
    await mailer(smtp).notify(replace(notification, event="resolved", resolved_at="2026-01-31T12:30:00.000000000Z"))
    (mail,) = smtp.mails
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    body = mail.get_body(("html",))
    assert body is not None
    assert "2026-01-31 12:30:00 UTC" in body.get_content()


async def test_a_letter_goes_to_its_address_alone(smtp: Smtp) -> None:
    letter = Letter("bob@example.org", "A link\r\nBcc: eve@example.com", "Für Bob:\n\nhttps://x/#cwr_1\n.")
    assert await mailer(smtp).write_to(letter) == "taken for 1 of 1"
    (mail,) = smtp.mails
    assert (mail["From"], mail["To"], mail["Bcc"]) == ("cordwood@example.com", "bob@example.org", None)
    assert mail["Subject"] == "A linkBcc: eve@example.com"
    assert mail.get_content().splitlines()[:4] == ["Für Bob:", "", "https://x/#cwr_1", "."]
    assert [line for line in smtp.seen if line.lower().startswith("rcpt")] == ["rcpt TO:<bob@example.org>"]


@pytest.mark.parametrize(
    "to", ["bob", "bob@x, eve@example.com", "bob@x>\r\nRCPT TO:<eve@example.com", "Bob <bob@x>", "bob@x;eve@y", ""]
)
async def test_what_is_no_address_gets_no_letter(smtp: Smtp, to: str) -> None:
    with pytest.raises(RejectedError, match="no mail address"):
        await mailer(smtp).write_to(Letter(to, "s", "t"))
    assert smtp.seen == []


async def test_login(smtp: Smtp, notification: Notification) -> None:
    await mailer(smtp, username="u", password="hush-hush").notify(notification)
    assert any(line.startswith("AUTH PLAIN") for line in smtp.seen)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        pytest.param({"AUTH": "535 bad"}, FatalError, id="login refused"),
        pytest.param({"AUTH": "454 later"}, RetryableError, id="login later"),
        pytest.param({"MAIL": "550 no"}, RejectedError, id="sender refused"),
        pytest.param({"MAIL": "451 later"}, RetryableError, id="sender later"),
        pytest.param({"RCPT ops@example.com": "550 no", "RCPT ann@example.com": "550 no"}, RejectedError, id="nobody"),
        pytest.param({"RCPT ops@example.com": "550 no", "RCPT ann@example.com": "450 grey"}, RetryableError, id="grey"),
        pytest.param({"MAIL DATA": "554 spam"}, RejectedError, id="content refused"),
        pytest.param({"MAIL DATA": "452 full"}, RetryableError, id="content later"),
    ],
)
async def test_errors(smtp: Smtp, notification: Notification, answers: dict[str, str], kind: type[Exception]) -> None:
    smtp.answers = answers
    with pytest.raises(kind) as caught:
        await mailer(smtp, username="u", password="hush-hush").notify(notification)
    assert "hush" not in str(caught.value)


async def test_some_recipients_refused(smtp: Smtp, notification: Notification) -> None:
    smtp.answers = {"RCPT ops@example.com": "550 no"}
    assert await mailer(smtp).notify(notification) == "taken for 1 of 2"


async def test_nothing_is_sent_in_the_clear_where_encryption_is_wanted(smtp: Smtp, notification: Notification) -> None:
    with pytest.raises(FatalError, match="STARTTLS"):
        await mailer(smtp, tls="starttls", username="u", password="hush-hush").notify(notification)
    assert not any(line.startswith(("AUTH", "MAIL", "DATA")) for line in smtp.seen)


async def test_nobody_there(smtp: Smtp, notification: Notification) -> None:
    with pytest.raises(RetryableError):
        await mailer(smtp, port=1).notify(notification)


@pytest.mark.parametrize(
    "wrong",
    [{"to": []}, {"to": ["ops"]}, {"sender": "a@b\r\nBcc: c@d"}, {"to": ["a b@c"]}, {"port": 0}, {"tls": "maybe"}],
    ids=str,
)
def test_settings_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmailConfig(**{"host": "h", "sender": "a@b.c", "to": ["d@e.f"]} | wrong)
