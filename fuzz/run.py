"""Runs one target under atheris: `python -m fuzz.run TARGET [libFuzzer's options] [corpus …]`.

Without a corpus named, finds go to .fuzz/TARGET, which is not kept, and the kept corpus is read only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vpcdns", "yaml"]):
    from fuzz.targets import TARGETS

HERE = Path(__file__).parent
# The process takes 70 MB, instrumented and with dnspython (measured); what grows beyond this leaks.
OPTIONS = ("-rss_limit_mb=160", "-timeout=5", "-max_len=4096", "-print_final_stats=1")


def main() -> None:
    name, *rest = sys.argv[1:]
    found = HERE.parent / ".fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    artifacts = f"-artifact_prefix={found.parent}/{name}-"
    dictionary = HERE / f"{name}.dict"
    options = [*OPTIONS, artifacts, *([f"-dict={dictionary}"] if dictionary.exists() else []), *rest]
    if all(option.startswith("-") for option in rest):
        options += [str(found), str(HERE / "corpus" / name)]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
