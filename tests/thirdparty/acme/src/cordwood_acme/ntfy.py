"""Messages to phones by ntfy: a POST to a topic."""

import httpx
from cordwood.plugins import Notification, Notifier, PluginConfig, RejectedError, RetryableError, hookimpl


class NtfyConfig(PluginConfig):
    server: str = "https://ntfy.sh"
    """Address of the ntfy server."""
    topic: str
    """The topic that phones are subscribed to."""


class Ntfy(Notifier[NtfyConfig]):
    """A push message for every incident."""

    async def notify(self, notification: Notification) -> str:
        """Publish the title and the link; the server's message id is the answer."""
        message = {
            "topic": self.config.topic,
            "title": notification.title,
            "message": f"{notification.event} by {notification.detector}",
            "click": notification.link,
        }
        try:
            async with httpx.AsyncClient(timeout=5) as client:
                answer = await client.post(self.config.server, json=message)
        except httpx.HTTPError as why:
            raise RetryableError(f"ntfy: {type(why).__name__}") from why
        if answer.status_code == 429 or answer.status_code >= 500:
            after = answer.headers.get("retry-after", "")
            raise RetryableError(f"ntfy answered {answer.status_code}", after=float(after) if after.isdigit() else None)
        if answer.status_code >= 400:
            raise RejectedError(f"ntfy answered {answer.status_code}")
        return f"ntfy answered {answer.status_code}"


@hookimpl
def cordwood_plugins() -> list[type[Notifier]]:
    return [Ntfy]
