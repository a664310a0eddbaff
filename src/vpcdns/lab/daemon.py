"""What stays behind `vpcdns lab up`: `python -m vpcdns.lab.daemon PREFIX FILE` builds a lab and serves it.

Says `ready` on stdout when everything answers, and takes the namespaces away when a signal comes.
"""

import signal
import sys
import threading
from pathlib import Path

from vpcdns.config import load
from vpcdns.errors import VpcdnsError
from vpcdns.lab.live import LiveLab


def main(prefix: str, file: Path) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with LiveLab(prefix, load(file).world):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except VpcdnsError as error:
        sys.exit(str(error))
