"""A mail by SMTP.

    mail: {type: email, host: smtp.example.com, sender: cordwood@example.com, to: [ops@example.com],
           username: cordwood, password: "${SMTP_PASSWORD}"}

All mails of one incident are one thread in a mail program, and a mail that comes twice has the same Message-ID.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    Duration,
    FatalError,
    Letter,
    Mailer,
    Need,
    Notification,
    Notifier,
    NotifierConfig,
    RejectedError,
    RetryableError,
    bars_png,
    duration_ns,
    headline,
    hookimpl,
    plain_text,
    reachable,
)
from .letter import html

PORTS = {"starttls": 587, "implicit": 465, "none": 25}
MAX_SUBJECT = 200  # characters: mail programs show fewer


def _address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or not domain or not text.isprintable() or any(letter in text for letter in ' ,;<>"'):
        raise ValueError(f"{text!r} is no mail address; write one like ops@example.com")
    return text


Address = Annotated[str, AfterValidator(_address)]


class EmailConfig(NotifierConfig):
    """Settings of the mail notifier."""

    host: str
    """The SMTP server."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Its port; by `tls` if not set: 587, 465 or 25."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """`starttls` (it becomes encrypted, or nothing is sent), `implicit` (encrypted from the start) or `none`."""
    username: str | None = None
    """Name to log in with; not set: no login."""
    password: SecretStr | None = None
    """Its password."""
    sender: Address
    """The mail's From."""
    to: Annotated[list[Address], Field(min_length=1)]
    """Who gets it."""
    timeout: Duration = "15s"
    """How long to wait for each answer of the server."""


class Email(Mailer[EmailConfig]):
    """A mail with figures, chart, samples and the link, as text and as HTML."""

    shows_chart = True

    def needs(self) -> Sequence[Need]:
        """The server; nobody logs in there."""
        config = self.config
        tls = ssl.create_default_context if config.tls == "implicit" else None
        return [reachable("host", config.host, config.port or PORTS[config.tls], tls)]

    async def notify(self, notification: Notification) -> str:
        """Hand it over to the server once, for all recipients together; answers how many it took.

        :raises RetryableError: the server does not answer, or says a temporary error (4xx)
        :raises FatalError: the login is refused, or the server offers no encryption
        :raises RejectedError: the server refuses the mail or all recipients (5xx)
        """
        message = mail(self.config, notification)
        return await self._sent(message, len(self.config.to))

    async def write_to(self, letter: Letter) -> str:
        """Hand a mail to one person over to the server.

        :raises RejectedError: the address is none, or the server refuses the mail or the address (5xx)
        :raises RetryableError: as `notify`
        :raises FatalError: as `notify`
        """
        try:
            to = _address(letter.to)
        except ValueError as why:
            raise RejectedError(str(why)) from None
        message = _mail(self.config, to, letter.subject, letter.text)
        message["Message-ID"] = make_msgid(domain=_domain(self.config))
        return await self._sent(message, 1)

    async def _sent(self, message: EmailMessage, recipients: int) -> str:
        # The thread cannot be stopped, but it ends by itself: every answer is waited for `timeout` at most.
        return await anyio.to_thread.run_sync(self._send, message, recipients, abandon_on_cancel=True)

    def _send(self, message: EmailMessage, recipients: int) -> str:
        config = self.config
        try:
            server = self._connected()
            try:
                if config.tls == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if config.username is not None:
                    password = config.password.get_secret_value() if config.password else ""
                    server.login(config.username, password)
                refused = server.send_message(message)
            finally:
                # The mail is taken or it is not: however the goodbye goes, it must not be sent again.
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()
                server.close()
        except smtplib.SMTPAuthenticationError as why:
            raise _fault(why.smtp_code, "the login is refused", FatalError) from None
        except smtplib.SMTPNotSupportedError as why:
            raise FatalError(f"the server cannot do this: {_words(why)}") from None
        except smtplib.SMTPRecipientsRefused as why:
            codes = sorted({code for code, _ in why.recipients.values()})
            raise _fault(min(codes), f"all recipients are refused ({', '.join(map(str, codes))})") from None
        except smtplib.SMTPResponseException as why:
            raise _fault(why.smtp_code, f"the server refuses the mail ({why.smtp_code})") from None
        except ssl.SSLError as why:
            raise RetryableError(f"no encryption: {why.reason}") from None
        except (smtplib.SMTPException, OSError) as why:
            raise RetryableError(f"no connection: {type(why).__name__}") from None
        return f"taken for {recipients - len(refused)} of {recipients}"

    def _connected(self) -> smtplib.SMTP:
        config, seconds = self.config, duration_ns(self.config.timeout) / 1e9
        port = config.port or PORTS[config.tls]
        if config.tls == "implicit":
            return smtplib.SMTP_SSL(config.host, port, timeout=seconds, context=ssl.create_default_context())
        return smtplib.SMTP(config.host, port, timeout=seconds)


def mail(config: EmailConfig, notification: Notification) -> EmailMessage:
    """The mail: plain text and HTML with the chart in it, and a report's files; marked as made by a machine."""
    message = _mail(config, ", ".join(config.to), headline(notification), plain_text(notification))
    domain = _domain(config)
    message["Message-ID"] = f"<{notification.delivery_id}@{domain}>"
    if notification.incident_id:
        message["In-Reply-To"] = message["References"] = f"<incident-{notification.incident_id}@{domain}>"
    message["X-Cordwood-Delivery"] = notification.delivery_id
    _add_page(message, notification, domain)
    for file in notification.attachments:
        kind, _, form = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=form, filename=file.name)
    return message


def _add_page(message: EmailMessage, notification: Notification, domain: str) -> None:
    """The same as HTML beside the text, with the chart in it."""
    if notification.chart is None:
        message.add_alternative(html(notification, None), subtype="html")
        return
    name = f"chart-{notification.delivery_id}@{domain}"
    message.add_alternative(html(notification, f"cid:{name}"), subtype="html")
    *_, page = message.iter_parts()
    page.add_related(bars_png(notification.chart.counts), "image", "png", cid=f"<{name}>", disposition="inline")


def _mail(config: EmailConfig, to: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = to
    message["Subject"] = "".join(letter for letter in subject if letter.isprintable())[:MAX_SUBJECT]
    message["Date"] = formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.replace("\x00", "") + "\n")
    return message


def _domain(config: EmailConfig) -> str:
    return config.sender.rpartition("@")[2]


def _fault(code: int, words: str, refused: type[RejectedError] | type[FatalError] = RejectedError) -> Exception:
    """A 4xx of SMTP may succeed later, a 5xx will not."""
    return refused(words) if code >= 500 else RetryableError(words)


def _words(why: Exception) -> str:
    return str(why)[:200]


@hookimpl
def cordwood_plugins() -> list[type[Notifier[Any]]]:
    """This module's plugin."""
    return [Email]
