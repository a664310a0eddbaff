"""Where a configuration comes from, and what is said about it at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from vpcdns.process import source
from vpcdns.process.source import Source


@pytest.mark.parametrize(
    ("resolv_conf", "config", "said"),
    [
        ("nameserver 192.0.2.1\n", "{}", ""),
        ("nameserver 127.0.0.1\n", "server: {listen: ['127.0.0.1:53']}", "but this server; foreign names"),
        ("", "{}", "names none but this server; foreign names without a rule get REFUSED"),
        ("", "forward: {otherwise: nxdomain}", "foreign names without a rule get NXDOMAIN"),
        ("", "forward: {upstreams: []}", "forward.upstreams is []; foreign names without a rule get REFUSED"),
        ("", "forward: {upstreams: [], otherwise: nxdomain}", ""),  # a closed lab, as it was written
    ],
)
def test_that_there_are_no_upstreams_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    resolv_conf: str,
    config: str,
    said: str,
) -> None:
    (tmp_path / "resolv.conf").write_text(resolv_conf)
    (tmp_path / "vpcdns.yaml").write_text(config + "\n")
    monkeypatch.setattr(source, "RESOLV_CONF", tmp_path / "resolv.conf")
    Source(tmp_path / "vpcdns.yaml").load()
    assert said in caplog.text
    assert ("No upstreams" in caplog.text) is bool(said)
