"""Where compiled kernels come from: modules that the build makes where it finds a C compiler.

Each does what a module in Python does, faster and with the same results; that module is the definition,
and is used where the kernel is not there (``docs/decisions/0006-compiled-kernels.md``).
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

PURE = os.environ.get("BOILERPLATE_DS_PURE") == "1"
"""Whether kernels are left aside, by the environment variable of that name."""
_COPYING = 60
"""So many seconds may be between the files of a checkout that was copied."""


def kernel(name: str) -> Any:
    """Give the compiled module ``name``, or None where there is none that is up to date."""
    if PURE:
        return None
    try:
        module = import_module(name)
    except ImportError:
        return None
    library = Path(str(module.__file__))
    source = library.with_name(name.rpartition(".")[2] + ".pyx")  # stands there in a checkout only
    if source.exists() and source.stat().st_mtime - library.stat().st_mtime > _COPYING:
        warnings.warn(f"{source} is newer than what was compiled; run: pip install -e .", stacklevel=2)
        return None
    return module
