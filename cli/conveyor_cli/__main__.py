"""`python -m conveyor_cli` is the command `conveyor`."""

from conveyor_cli.main import main

main()
