"""Starts the page: ``python app/app.py``, configured by the environment alone.

GITHUB_TOKEN     a token that may read the repository's Actions
GITHUB_API_URL   where GitHub's API is
PYPISTATS_URL    where PyPI Stats' API is
FORECAST_CONFIG  the config, instead of config.toml beside this folder
MODELS_DIR       a folder with a bundle; GitHub is then never asked
SOURCE_DATE_EPOCH  the present moment, for a page whose clock stands still
"""

import os
import sys
from pathlib import Path


def main() -> int:
    """Prepare the process, then serve the page until it is told to end.

    The imports stand here because each needs what comes before it: the path, or a variable
    that NumPy or gradio reads when it is imported.
    """
    # Python puts app/ there, but every module is named from the root.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

    from app.gradio_internals.environment import DEFAULTS  # noqa: PLC0415
    from forecast.threads import use_one_thread  # noqa: PLC0415

    os.environ.update(DEFAULTS)
    use_one_thread(os.environ)

    from app.launch import launch  # noqa: PLC0415

    return launch(os.environ)


if __name__ == "__main__":
    sys.exit(main())
