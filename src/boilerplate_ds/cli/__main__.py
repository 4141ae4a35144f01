"""``python -m boilerplate_ds.cli``."""

from boilerplate_ds.cli import main

main()
