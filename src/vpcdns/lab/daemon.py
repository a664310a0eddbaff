"""What stays behind `vpcdns lab up`: `python -m vpcdns.lab.daemon NAME FILE` builds a lab and serves it.

Says `ready` on stdout when everything answers. When a signal comes, or nobody is there to hear it, it removes
the namespaces that it made.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from vpcdns.config import load
from vpcdns.errors import VpcdnsError
from vpcdns.lab.lifecycle import READY, log_file
from vpcdns.lab.live import LiveLab


def main(name: str, file: Path) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with LiveLab(name, load(file).world):
        try:
            os.write(1, READY.encode())
        except BrokenPipeError:
            log_file(name).unlink(missing_ok=True)
        else:
            stopped.wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except VpcdnsError as error:
        sys.exit(str(error))
