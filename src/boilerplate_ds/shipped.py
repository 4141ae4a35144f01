"""What comes with the package: the released model and the starter labels.

An installed wheel carries them inside the package; an editable install finds them in the repository.
"""

from __future__ import annotations

from pathlib import Path

from boilerplate_ds.errors import BoilerplateError

_PACKAGE = Path(__file__).resolve().parent

RELEASED = "web"
"""Name of the model that comes with the package."""


def shipped(name: str) -> Path:
    """Path of a shipped folder or file, such as ``models/web`` or ``labels``.

    Raises
    ------
    BoilerplateError
        If the installation lacks it.
    """
    for root in (_PACKAGE / "shipped", _PACKAGE.parent.parent):
        if (root / name).exists():
            return root / name
    raise BoilerplateError(f"{name} is missing from this installation of boilerplate-ds; install it again")
