"""``python -m tlm3d``."""

from tlm3d.cli import main

main()
