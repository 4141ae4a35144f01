"""Compile the kernels (every ``.pyx`` of the package) where there is a C compiler.

The package does without them, more slowly: where they cannot be compiled, this says so and the build goes on.
A wheel with kernels is for one platform and one Python; one without is for all. An editable install has
them beside their sources, and keeps them as long as none of these is newer. ``BOILERPLATE_DS_PURE=1`` leaves
them out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGES = "src"
_SHARED = "boilerplate_ds.shared_kernel"
"""What Cython would put into each kernel that reads arrays, compiled once: half of all its C."""
# results are those of numpy bit by bit: no fused multiply-add, no reordering of sums
_FLAGS = [] if os.name == "nt" else ["-O3", "-g0", "-ffp-contract=off"]


class KernelHook(BuildHookInterface[Any]):
    """Builds the kernels before a wheel is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say what goes into the wheel."""
        if self.target_name != "wheel" or os.environ.get("BOILERPLATE_DS_PURE") == "1":
            return
        packages = Path(self.root, _PACKAGES)
        kernels = _up_to_date(packages) or _compiled(packages)
        if kernels and version != "editable":
            build_data["force_include"].update({str(packages / kernel): kernel for kernel in kernels})
            build_data.update(pure_python=False, infer_tag=True)


def _up_to_date(packages: Path) -> list[str]:
    """Give the paths of the libraries below ``packages`` if all are newer than what they are made of."""
    read = [Path(__file__), *(path for kind in ("pyx", "pxd", "h") for path in packages.rglob(f"*.{kind}"))]
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    shared = packages.joinpath(*_SHARED.split("."))
    libraries = [made.with_suffix(suffix) for made in (shared, *sorted(packages.rglob("*.pyx")))]
    changed = max(path.stat().st_mtime for path in read)
    if not all(library.exists() and library.stat().st_mtime > changed for library in libraries):
        return []
    return [library.relative_to(packages).as_posix() for library in libraries]


def _compiled(packages: Path) -> list[str]:
    """Compile every ``.pyx`` under ``packages``; give the paths of the libraries below it."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext
    from setuptools.errors import BaseError, CCompilerError

    sources = sorted(packages.rglob("*.pyx"))
    with tempfile.TemporaryDirectory() as work:
        modules = [
            Extension(
                ".".join(source.relative_to(packages).with_suffix("").parts),
                [str(source)],
                include_dirs=[str(source.parent)],
                extra_compile_args=_FLAGS,
            )
            for source in sources
        ]
        generated = cythonize(
            modules,
            include_path=[str(packages)],
            build_dir=work,
            force=True,
            quiet=True,
            shared_utility_qualified_name=_SHARED,
        )
        shared = Extension(_SHARED, [str(Path(work, "shared_kernel.c"))], extra_compile_args=_FLAGS)
        generate = [sys.executable, "-m", "cython", f"--generate-shared={shared.sources[0]}"]
        subprocess.run(generate, check=True)  # noqa: S603
        command = build_ext(Distribution({"ext_modules": [shared, *generated]}))
        command.build_lib, command.build_temp = work, work
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        try:
            command.run()
        except (BaseError, CCompilerError) as error:
            print(f"boilerplate-ds: no compiled kernels, so it will be slower: {error}", file=sys.stderr)
            return []
        libraries = [Path(built).relative_to(work) for built in command.get_outputs()]
        for library in libraries:
            (packages / library).unlink(missing_ok=True)  # a process may have the old one loaded
            shutil.copyfile(Path(work, library), packages / library)
    return [library.as_posix() for library in libraries]


if __name__ == "__main__":
    here = Path(__file__).parent / _PACKAGES
    print(*(_up_to_date(here) or _compiled(here)), sep="\n")
