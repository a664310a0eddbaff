"""`python -m vpcdns`: the console script by another way."""

from vpcdns.cli import main

main()
