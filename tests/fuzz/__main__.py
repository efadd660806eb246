"""``python -m tests.fuzz [--seconds N] [TARGET ...]``: the same properties, for longer."""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import secrets
import sys
import time
import warnings

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from tests.fuzz.inputs import changed
from tests.fuzz.targets import TARGETS, Target, try_one

BATCH = 400  # inputs between two checks of the clock


def main() -> int:
    """The exit status: 0 if every input gave a valid result or one of our own errors."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=300.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"no target {unknown[0]}; there are {', '.join(TARGETS)}")
    warnings.simplefilter("error")
    logging.disable()  # refusals are logged, and the report would drown in them
    say(f"seed {options.seed}")
    broken = [name for name in names if not run(name, options.seconds / len(names), options.seed)]
    return 1 if broken else 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(name: str, seconds: float, first_seed: int) -> bool:
    """Try a target for some seconds; half of the time with random bytes, if it reads bytes."""
    target = TARGETS[name]
    counts = {True: 0, False: 0}
    structured = seconds / 2 if target.seeds else seconds
    try:
        generate(target, structured, first_seed, counts)
        if target.seeds:
            mutate(target, seconds - structured, first_seed, counts)
    except Exception as error:  # noqa: BLE001 - that there is one is what is looked for
        say(f"{name:10} FAILED after {sum(counts.values()):,} inputs: {error!r}")
        for note in getattr(error, "__notes__", []):
            say(f"    {note}")
        return False
    tried = f"{sum(counts.values()):9,} inputs"
    say(f"{name:10} {tried}: {counts[True]:,} let in, {counts[False]:,} refused")
    return True


def generate(target: Target, seconds: float, first_seed: int, counts: dict[bool, int]) -> None:
    """Inputs that follow the structure of the format; failing ones are minimised."""

    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(target.inputs)
    def attempt(value: object) -> None:
        counts[try_one(target, value)] += 1

    until = time.monotonic() + seconds
    for batch in itertools.count():
        seed(first_seed + batch)(attempt)()
        if time.monotonic() >= until:
            return


def mutate(target: Target, seconds: float, first_seed: int, counts: dict[bool, int]) -> None:
    """Inputs with random changes of bytes, a hundred times as many."""
    chance = random.Random(first_seed)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = changed(chance, chance.choice(target.seeds))
        try:
            counts[try_one(target, data)] += 1
        except Exception as error:
            error.add_note(f"input: bytes.fromhex({data.hex()!r})")
            raise


if __name__ == "__main__":
    sys.exit(main())
