"""A worker: ``python -m ganmedic.data.worker``, started by `workers`. Whatever a library prints goes to standard error."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Take blocks from standard input, and give what was measured to what was standard output."""
    # Ctrl-C is the parent's to handle; it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from ganmedic.data.workers import serve

    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
