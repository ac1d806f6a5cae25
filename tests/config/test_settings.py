"""Settings come from the environment, the command line wins, and passwords do not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from cordwood.config import ConfigErrors, Settings


def test_defaults():
    settings = Settings.from_environment({})
    assert (settings.data_dir, settings.host, settings.port, settings.role) == (Path("data"), "127.0.0.1", 8080, "all")


def test_the_command_line_wins_and_none_is_not_given():
    settings = Settings.from_environment(
        {"CORDWOOD_PORT": "81", "CORDWOOD_HOST": "::1", "CORDWOOD_ROLE": "", "CORDWOOD_DATA_DIR": "/d"},
        port=82,
        host=None,
    )
    assert (settings.port, settings.host, settings.role, settings.data_dir) == (82, "::1", "all", Path("/d"))


def test_all_errors_name_the_variable_or_the_option():
    environment = {"CORDWOOD_PORT": "70000", "CORDWOOD_DATABASE_URL": "mysql://u:hunter2@h/d"}
    environment["CORDWOOD_QUERY_ENGINE"] = "http://u:hunter2@h"
    with pytest.raises(ConfigErrors) as caught:
        Settings.from_environment(environment, role="boss")
    text = str(caught.value)
    assert "CORDWOOD_PORT: must be less than or equal to 65535, not 70000" in text
    assert "--role: must be 'all', 'ingest', 'query' or 'worker', not boss" in text
    assert "CORDWOOD_DATABASE_URL: must begin with postgresql://" in text
    assert "CORDWOOD_QUERY_ENGINE: must begin with clickhouse:// and name a host" in text
    assert "hunter2" not in text


def test_passwords_do_not_show():
    settings = Settings.from_environment(
        {
            "CORDWOOD_DATABASE_URL": "postgresql://u:hunter2@h/d",
            "CORDWOOD_ADMIN_PASSWORD": "hunter2",
            "CORDWOOD_SECRET_KEY": "hunter2",
            "CORDWOOD_QUERY_ENGINE": "clickhouse://u:hunter2@h",
        }
    )
    assert settings.database_url == "postgresql://u:hunter2@h/d"
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://logs.example.com/", "https://logs.example.com"),
        ("http://[::1]:8080/cordwood", "http://[::1]:8080/cordwood"),
        *(
            (url, None)
            for url in ("logs.example.com", "javascript:alert(1)", "https://u:p@h", "https://h/?q", "http:// x")
        ),
    ],
)
def test_the_public_address(url, kept):
    if kept is None:
        with pytest.raises(ConfigErrors, match="CORDWOOD_PUBLIC_URL: must begin with http"):
            Settings.from_environment({"CORDWOOD_PUBLIC_URL": url})
    else:
        assert Settings.from_environment({"CORDWOOD_PUBLIC_URL": url}).public_url == kept


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", "")),
    ],
)
def test_loopback(host, loopback):
    assert Settings(host=host).is_loopback is loopback


def test_the_example_environment_lists_every_setting():
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"CORDWOOD_{name.upper()}=" not in example] == []
