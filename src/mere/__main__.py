"""`python -m mere` is the command `mere`."""

from mere.cli.main import run

if __name__ == "__main__":
    run()
