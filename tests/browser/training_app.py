"""The app with training on the spot, for the tests: python tests/browser/training_app.py."""

import sys
from pathlib import Path


def run() -> int:
    """Start it as app/app.py does, and hand it the trainer's search."""
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from app.app import main  # noqa: PLC0415 - the root is on the path by now
    from trainer.search import train  # noqa: PLC0415 - the same

    def train_now(series, horizon, m_values):
        return train(series.values, series.start, horizon=horizon, m_values=m_values)

    return main(train_now)


if __name__ == "__main__":
    sys.exit(run())
