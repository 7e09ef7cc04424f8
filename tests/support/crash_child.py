"""Run as a process of its own: starts an answer, says so, and waits to be killed."""

import sys
from pathlib import Path

from tests.support.hub import ask, opened


def main(database_url: str, data_dir: str, gemini_url: str) -> None:
    with opened(database_url, Path(data_dir), gemini_url) as services:
        sent = ask(services, "Tell me a long story")
        sys.stdout.write(f"{sent.thread.uuid}\n")
        sys.stdout.flush()
        sent.generation.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
