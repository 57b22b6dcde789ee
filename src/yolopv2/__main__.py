"""``python -m yolopv2``: the command line, for launchers that start modules, such as torchrun."""

from yolopv2.cli.main import main

main()
