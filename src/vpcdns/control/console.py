"""The console: one page without any data in it, which asks `/world` and `/decisions` for them.

Knows the page's file. Whatever a name holds, the page writes it as text (`textContent`), and the policy lets
nothing run or load but the page's own script and style, known by their hashes.
"""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

PAGE: Final = files("vpcdns.control").joinpath("console.html").read_text(encoding="utf-8")


def _source(element: str) -> str:
    """The hash of what stands between the tags (CSP Level 3 §2.3.1)."""
    inner = "".join(re.findall(rf"<{element}>(.*?)</{element}>", PAGE, re.DOTALL))
    return f"'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; script-src {_source('script')}; style-src {_source('style')}; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
