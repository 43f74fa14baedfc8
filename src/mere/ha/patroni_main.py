# mypy: disable-error-code="import-not-found, import-untyped", allow-untyped-calls
"""Patroni's two commands with the object store among its stores: `python -m mere.ha.patroni_main CONFIG | ctl ...`."""

from __future__ import annotations

import os
import sys

from mere.ha.process import settle


def main() -> None:
    """Run Patroni's daemon, or `patronictl` when the first argument is `ctl`. Does not return before it ends."""
    settle(os.environ)
    from mere.ha.patroni_store import register

    register()
    if sys.argv[1:2] == ["ctl"]:
        from patroni.ctl import ctl

        del sys.argv[1]
        ctl(prog_name="patronictl")
    else:
        from patroni.__main__ import main as daemon

        from mere.ha.first_start import bear_with_the_store
        from mere.ha.pace import quicken
        from mere.ha.postmaster import start_without_python

        start_without_python()
        quicken()
        bear_with_the_store()
        daemon()


if __name__ == "__main__":
    main()
