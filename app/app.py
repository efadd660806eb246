"""Starts the page: ``python app/app.py``, configured only by the environment.

GITHUB_TOKEN     a token with permission to read the repository's Actions
GITHUB_API_URL   address of GitHub's API
PYPISTATS_URL    address of PyPI Stats' API
FORECAST_CONFIG  the config, instead of config.toml beside this folder
MODELS_DIR       a folder with a bundle, to be used instead of GitHub
SOURCE_DATE_EPOCH  a fixed current time, in seconds since 1970
"""

import os
import sys
from pathlib import Path


def main() -> int:
    """Prepare the process, then serve the page until it is told to end.

    The imports are inside the function because they need the path, or a variable that NumPy
    or gradio reads at import, to be set first.
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
