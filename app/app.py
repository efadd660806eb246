"""Starts the page: ``python app/app.py``, configured only by the environment.

GITHUB_TOKEN     a token with permission to read the repository's Actions
GITHUB_API_URL   address of GitHub's API
PYPISTATS_URL    address of PyPI Stats' API
FORECAST_CONFIG  the config, instead of config.toml beside this folder
MODELS_DIR       a folder with a bundle, to be used instead of GitHub
GRADIO_SERVER_NAME, GRADIO_SERVER_PORT, GRADIO_ROOT_PATH  address of the page; see README.md
SOURCE_DATE_EPOCH  a fixed current time, in seconds since 1970
"""

import os
import sys
from pathlib import Path
from typing import TextIO, cast


def main() -> int:
    """Prepare the process, then serve the page until it is told to end.

    The imports are inside the function because they need the path, or a variable that NumPy
    or gradio reads at import, to be set first.
    """
    # Python puts app/ there, but every module is named from the root.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

    from forecast.text import CleanStream  # noqa: PLC0415

    sys.stdout = cast("TextIO", CleanStream(sys.stdout))
    sys.stderr = cast("TextIO", CleanStream(sys.stderr))

    from app.gradio_internals.environment import prepare  # noqa: PLC0415
    from forecast.process import prepare_numpy  # noqa: PLC0415

    prepare(os.environ)
    prepare_numpy(os.environ)
    if os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"}:
        _declare_a_function()

    from app.launch import launch  # noqa: PLC0415

    return launch(os.environ)


def _declare_a_function() -> None:
    """Declare a function for a GPU, without which free hardware ends the page after its start.

    Nothing calls it: the page needs no GPU, and so uses no quota. A Space has the package.
    """
    import spaces  # noqa: PLC0415

    @spaces.GPU  # type: ignore[untyped-decorator]
    def _unused() -> None:
        """Do nothing."""


if __name__ == "__main__":
    sys.exit(main())
