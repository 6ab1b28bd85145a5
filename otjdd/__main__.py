"""python -m otjdd: the command line."""

from otjdd.cli import main

main()
