"""The command line: the command `otjdd`, and python -m otjdd."""

import signal


def main() -> None:
    """Run the command line. Ctrl-C while its modules load ends the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from otjdd.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
