"""`cordwood check --deep`: what a file needs, tried."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def file(folder: Path, text: str) -> str:
    path = folder / "pipeline.yaml"
    path.write_text("version: 1\n" + text)
    return str(path)


def test_what_is_there_is_said_to_be_and_ports_are_free_again(cordwood: Any, data_dir: Path) -> None:
    port, udp = free_port(), free_port(socket.SOCK_DGRAM)
    (data_dir / "a.log").write_text("x\n")
    with socket.create_server(("127.0.0.1", 0)) as there:
        text = f"""
sources:
  sys: {{type: syslog, tcp: "127.0.0.1:{port}", udp: "127.0.0.1:{udp}", unix: "{data_dir}/log"}}
  files: {{type: file, include: ["{data_dir}/*.log", "{data_dir}/*.txt"]}}
  one: {{type: exec, command: [true]}}
outputs:
  next: {{type: cordwood, url: "http://127.0.0.1:{there.getsockname()[1]}"}}
  archive: {{type: file, folder: "{data_dir}/archive"}}
""".replace("[true]", '["true"]')
        done = cordwood("check", "--deep", file(data_dir, text))
    assert done.code == 0, done.err
    told = [line.rpartition(": ")[0::2] for line in done.lines[:-1]]
    assert [state for _, state in told].count("ok") == 6
    assert f"sources.files.include: read {data_dir}/*.txt: note: no file is there yet" in done.out
    assert "outputs.archive.folder" in done.out
    assert not (data_dir / "archive").exists()
    assert not (data_dir / "log").exists()
    assert done.lines[-1].endswith(
        "pipeline.yaml is right: 3 sources, 1 pipelines, 0 detectors, 0 notifiers, 2 outputs"
    )
    for number, kind in ((port, socket.SOCK_STREAM), (udp, socket.SOCK_DGRAM)):
        with socket.socket(type=kind) as probe:
            probe.bind(("127.0.0.1", number))


def test_everything_that_is_not_there_is_told_at_its_place_with_a_way_out(cordwood: Any, data_dir: Path) -> None:
    closed, taken = free_port(), socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    (data_dir / "pem").write_text("no certificate\n")
    text = f"""
sources:
  sys: {{type: syslog, tcp: "127.0.0.1:{port}"}}
  twice: {{type: gelf, udp: "127.0.0.1:{closed}"}}
  again: {{type: syslog, udp: "127.0.0.1:{closed}"}}
  tls: {{type: beats, tls: {{listen: "127.0.0.1:{free_port()}", cert_file: "{data_dir}/pem", key_file: /nowhere.key}}}}
  files: {{type: file, include: [/nowhere/at/all.log]}}
  run: {{type: exec, command: [no-such-program-here]}}
outputs:
  next: {{type: otlp, url: "http://127.0.0.1:{closed}/v1/logs"}}
  name: {{type: cordwood, url: "http://no-such-host.invalid", token: "${{EMPTY}}"}}
notifiers:
  hook: {{type: webhook, url: "https://127.0.0.1:{port}/secret-path"}}
"""
    with taken:
        done = cordwood("check", "--deep", file(data_dir, text), env={"EMPTY": " "}, timeout=120)
    assert done.code == 1
    assert "is right" not in done.out
    wrong = {line.split(" ")[1].rstrip(":"): line for line in done.err.splitlines()[:-1]}
    assert set(wrong) >= {
        "sources.sys.tcp", "sources.tls.tls", "sources.files.include", "sources.run.command", "outputs.next.url",
        "outputs.name.url", "outputs.name.token", "notifiers.hook.url",
    }  # fmt: skip
    assert len({"sources.twice.udp", "sources.again.udp"} & set(wrong)) == 1
    assert "pipeline.yaml:4:3 sources.sys.tcp: cannot listen" in wrong["sources.sys.tcp"]
    assert "is another program there?" in wrong["sources.sys.tcp"]
    assert "make it, mend the path" in wrong["sources.files.include"]
    assert "it is empty; set its variable" in wrong["outputs.name.token"]
    assert "secret-path" not in done.err + done.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(cordwood: Any, data_dir: Path) -> None:
    path = data_dir / "a.log"
    path.write_text("x\n")
    path.chmod(0)
    done = cordwood("check", "--deep", file(data_dir, f'sources: {{a: {{type: file, include: ["{path}"]}}}}\n'))
    assert done.code == 1
    assert f"cannot be read: {path} (Permission denied); give the user that runs Cordwood the right to" in done.err
