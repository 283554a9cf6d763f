"""What is asked of MLflow's prompt registry, run by its own Python: `python mlflow_client.py URL ROUNDS`.

Prints the seconds of each round as JSON: registering a version of a prompt of about 2 KB, moving its alias, loading it
by alias past every cache. MLflow's own client does each, as its users would.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import mlflow  # type: ignore[import-not-found, unused-ignore]

TEXT = "You are a coach who asks one open question. " * 45


def timed(act: Callable[[int], object], rounds: int) -> list[float]:
    """Return how long each of some rounds took, in seconds."""
    times = []
    for number in range(rounds):
        started = time.perf_counter()
        act(number)
        times.append(time.perf_counter() - started)
    return times


def main(url: str, rounds: int) -> None:
    """Register, move the alias, load; print the times."""
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    mlflow.genai.register_prompt(name="opener", template=TEXT + "{{topic}}")
    times = {
        "register": timed(
            lambda n: mlflow.genai.register_prompt(name="opener", template=f"{TEXT}{n} {{{{topic}}}}"), rounds
        ),
        "alias": timed(
            lambda n: mlflow.genai.set_prompt_alias("opener", alias="production", version=1 + n % 9), rounds
        ),
        "load": timed(lambda _: mlflow.genai.load_prompt("prompts:/opener@production", cache_ttl_seconds=0), rounds),
    }
    sys.stdout.write(json.dumps(times) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
