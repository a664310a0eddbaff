"""What stays behind `vpcdns lab up`: `python -m vpcdns.lab.daemon PREFIX FILE` builds a lab and serves it.

Says `ready` on stdout when everything answers, and takes the namespaces away when a signal comes.
"""

import signal
import sys
import threading
from pathlib import Path

from vpcdns.config import load
from vpcdns.errors import VpcdnsError
from vpcdns.lab.blueprint import Numbers, blueprint, lab_world
from vpcdns.lab.kernel import Kernel
from vpcdns.lab.services import ResolverThread, Responder


def main(prefix: str, file: Path) -> None:
    world, numbers, stopped = load(file).world, Numbers(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    kernel = Kernel(prefix)
    plan = blueprint(world, numbers)
    try:
        kernel.apply(plan)
        responder = Responder(kernel)
        responder.apply(plan)
        resolver = ResolverThread(kernel, lab_world(world, numbers))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        stopped.wait()
        resolver.close()
        responder.close()
    finally:
        kernel.remove()


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except VpcdnsError as error:
        sys.exit(str(error))
