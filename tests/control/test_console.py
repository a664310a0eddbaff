"""The console: a page without data, which lets nothing run but its own script."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support import messages
from tests.support.admin_server import admin
from tests.support.decided_queries import HOSTILE
from tests.support.event_loop import on_loop
from tests.support.obedient_service import Udp
from vpcdns.control.routes import CONTENT_SECURITY_POLICY, PAGE
from vpcdns.model.policy import Listen

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@on_loop
async def test_the_page_comes_with_its_policy() -> None:
    async with admin() as it:
        answer = await it.ask("/")
        assert answer.body.decode() == PAGE
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_policy_lets_only_what_is_in_the_page_run() -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page_loads_nothing_and_writes_text_only() -> None:
    assert not re.search(r"https?://|src=|@import|url\(", PAGE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|style=|\son\w+=", PAGE)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")
def test_a_hostile_name_is_text_in_a_browser(tmp_path: Path) -> None:
    async def run() -> str:
        async with admin() as it:
            (listen,) = await it.service.start()
            with Udp() as udp:
                await udp.ask(messages.query(HOSTILE).to_wire(), ("127.0.0.1", listen.port))
            assert isinstance(it.at, Listen)
            assert BROWSER is not None
            browser = await asyncio.create_subprocess_exec(
                *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"),
                *("--virtual-time-budget=3000", "--dump-dom", f"http://127.0.0.1:{it.at.port}/"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "HOME": str(tmp_path)},
            )
            written, _ = await browser.communicate()
            return written.decode()

    page = asyncio.run(asyncio.wait_for(run(), 60))
    assert "&lt;img\\032src=x" in page
    assert "<img" not in page
