"""Print what pyproject.toml requires, a line each: to build, or to run with all extras."""

import sys
from itertools import chain
from pathlib import Path

try:
    import tomllib
except ImportError:  # before Python 3.11
    from pip._vendor import tomli as tomllib

pyproject = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
project = pyproject["project"]
requires = {
    "build": pyproject["build-system"]["requires"],
    "run": [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())],
}
print(*(name for name in requires[sys.argv[1]] if not name.startswith(project["name"])), sep="\n")
