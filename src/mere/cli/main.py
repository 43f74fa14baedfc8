"""The command line: which subcommand, which settings. Everything heavy is imported by the subcommand that needs it."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from mere import __version__
from mere.errors import MereError, StartupError
from mere.settings import Settings, add_arguments

INTERRUPTED = 130
_LOCATION = ("data", "storage", "postgres_bin", "log_level")


def run() -> None:
    """The entry point of the script `mere`."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs one command; an error that the user can act on is one line on standard error and exit status 1."""
    options = build_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except MereError as error:
        print(f"mere: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mere",
        description="Mere, a data warehouse: PostgreSQL in front, DuckDB behind, data once in object storage.",
        epilog="Each setting may also stand in the environment, or in mere.toml in the data directory.",
    )
    parser.add_argument("--version", action="version", version=f"mere {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = commands.add_parser("serve", help="start the warehouse and serve clients until stopped")
    add_arguments(serve)
    serve.set_defaults(command=_serve)

    maintain = commands.add_parser(
        "maintain", help="merge small files, clean up deleted rows, old snapshots and forgotten files"
    )
    add_arguments(maintain, (*_LOCATION, "retention", "threads", "memory_limit", "temp_directory"))
    maintain.add_argument(
        "--kinds",
        metavar="LIST",
        help="of flush, merge, rewrite, expire, delete, orphans, those to do, separated by commas (default: all)",
    )
    maintain.add_argument("--database", metavar="NAME", help="only this database (default: all)")
    maintain.add_argument("--full", action="store_true", help="rewrite every file that can be better, at any cost")
    maintain.add_argument("--dry-run", action="store_true", help="only show what would be done")
    maintain.set_defaults(command=_maintain)

    backup = commands.add_parser("backup", help="back the catalog up to the storage, now")
    add_arguments(backup, ("data",))
    backup.set_defaults(command=_backup)

    backups = commands.add_parser("backups", help="show the backups in the storage, and how far they reach")
    add_arguments(backups, ("data", "storage"))
    backups.set_defaults(command=_backups)

    restore = commands.add_parser(
        "restore", help="bring the warehouse back, as it is in the backups or was at a moment, in a new data directory"
    )
    add_arguments(restore, _LOCATION)
    restore.add_argument("--to", metavar="TIME", help="such as '2026-01-31 18:00:00', UTC unless it says otherwise")
    restore.add_argument("--timeline", metavar="N", help="one of mere backups, to undo a restore (default: the newest)")
    restore.set_defaults(command=_restore)

    state = commands.add_parser("state", help="show whether the warehouse is up, its segments and databases")
    add_arguments(state, ("data",))
    state.set_defaults(command=_state)

    switch = commands.add_parser("switchover", help="swap the roles of a cluster's two coordinators")
    add_arguments(switch, ("data",))
    switch.set_defaults(command=_switchover)

    standby = commands.add_parser("standby", help="what concerns a cluster's standby")
    actions = standby.add_subparsers(title="actions", metavar="ACTION", required=True)
    remove = actions.add_parser("remove", help="on the primary: go on without the standby, until a new one joins")
    add_arguments(remove, ("data",))
    remove.set_defaults(command=_remove_standby)

    demo = commands.add_parser("demo", help="load TPC-H into a temporary warehouse and check its 22 queries")
    demo.add_argument("--scale", type=float, default=1.0, metavar="N", help="TPC-H scale factor (default: 1)")
    demo.set_defaults(command=_demo)
    return parser


class _Parser(argparse.ArgumentParser):
    """Help that is wide enough to read, for the subcommands too."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("formatter_class", lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=110))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def load_settings(options: argparse.Namespace) -> Settings:
    """Settings from the flags of this subcommand and everything below them; also sets the log up."""
    settings = Settings.load(vars(options))
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return settings


def _serve(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.serve import serve

    return serve(settings)


def _maintain(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.maintain import Wishes, maintain

    kinds = None if options.kinds is None else [kind.strip() for kind in options.kinds.split(",")]
    wishes = Wishes(kinds, options.database, options.full, options.dry_run, options.retention is not None)
    return maintain(settings, wishes)


def _backup(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.backup import backup

    return backup(settings)


def _backups(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.backup import show_backups

    return show_backups(settings)


def _restore(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.restore import restore

    return restore(settings, options.to, options.timeline)


def _state(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.state import show_state

    return show_state(settings)


def _switchover(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.switchover import switch_over

    return switch_over(settings)


def _remove_standby(options: argparse.Namespace) -> int:
    settings = load_settings(options)
    from mere.cli.switchover import remove

    return remove(settings)


def _demo(options: argparse.Namespace) -> int:
    if options.scale <= 0:
        raise StartupError(f"--scale: expected a number above 0, not {options.scale:g}")
    from mere.demo.run import run_demo

    return run_demo(options.scale)
