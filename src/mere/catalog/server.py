"""The PostgreSQL server that is Mere's catalog: made, started, watched and stopped by the `mere serve` process.

    data = DataDirectory.claim(path)
    server = PostgresServer(data, binaries=None)
    await server.start()              # from the main thread: PostgreSQL is told to die with the thread that made it
    server.socket_directory           # host=...; port is PORT
    code = await server.wait()        # returns when PostgreSQL has gone, by itself or through stop()
    await server.stop()

It listens on a Unix socket only, and every role needs its password there. Run by root, PostgreSQL gets its own
operating-system account and reaches the data directory through an inherited descriptor (/proc/self/fd/N), so the
directories above may be closed to it (a data directory under /root works).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg

from mere.catalog import orphan
from mere.catalog.archiving import archive_settings
from mere.catalog.binaries import MAJOR_VERSION, Account, find_account, find_binaries, reachable_binaries
from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import Postgres, Role
from mere.errors import StartupError

SUPERUSER = "mere_super"
GATEWAY_ROLE = "mere_gateway"
PORT = 5432
_SUN_PATH = 107  # bytes of a Unix socket's name on Linux; 103 elsewhere
OWN_CONNECTIONS = 200  # a pool for each open database, logins under way, maintenance
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0

# On the command line, so that they win over postgresql.conf and ALTER SYSTEM, and follow Mere's version.
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "superuser_reserved_connections": "8",
    "max_prepared_transactions": "0",  # a prepared transaction would outlive its session's lake files
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_compression": "on",
    "max_parallel_maintenance_workers": "0",  # a parallel index build plans the table, which the tripwire refuses
    "jit": "off",  # only metadata is queried here; compiling costs more than it saves
    "io_method": "sync",
    "autovacuum_naptime": "15s",
    "track_activity_query_size": "4096",  # a stand-in carries the text of the statement that it stands for
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "allow_alter_system": "off",
    "event_triggers": "on",
    "log_min_messages": "log",  # users' errors are for users
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


async def connect_to(server: Postgres, database: str, role: str) -> asyncpg.Connection:
    """A service connection to whatever kind of server."""
    return await asyncpg.connect(
        host=str(server.socket_directory),
        port=server.port,
        user=role,
        password=server.data.secret(role),
        database=database,
        timeout=10,
        server_settings={"application_name": "mere", "search_path": "pg_catalog, pg_temp"},
    )


class PostgresServer:
    """One cluster in `data.postgres`. Start, wait and stop belong to one asyncio loop, on the main thread."""

    def __init__(
        self,
        data: DataDirectory,
        binaries: Path | None = None,
        sessions: int = 100,
        settings: Mapping[str, str] | None = None,
        start_seconds: float = _START_SECONDS,
        archive_seconds: float = 0,
    ) -> None:
        """`sessions`: how many clients there may be; our own connections come on top. `settings` win over ours.

        `archive_seconds`: after this time at most WAL is archived; 0: none is.
        """
        self._start_seconds = start_seconds
        self._archive_seconds = archive_seconds
        self.data = data
        self._settings = {**SETTINGS, "max_connections": str(sessions + OWN_CONNECTIONS), **(settings or {})}
        self._configured_binaries = binaries
        self._process: subprocess.Popen[bytes] | None = None
        self._descriptor = -1
        self._private_socket_directory: Path | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def role(self) -> Role:
        """Nobody but us starts it, so while it runs it is the primary."""
        return "primary" if self._process is not None and self._process.poll() is None else "none"

    @property
    def port(self) -> int:
        return PORT

    @property
    def socket_directory(self) -> Path:
        """What clients give as host; in the data directory unless that name is too long for a socket."""
        return self._private_socket_directory or self.data.path / "socket"

    @property
    def socket_path(self) -> Path:
        return self.socket_directory / f".s.PGSQL.{PORT}"

    @property
    def superuser_password(self) -> str:
        return self.data.secret(SUPERUSER)

    @property
    def gateway_password(self) -> str:
        return self.data.secret(GATEWAY_ROLE)

    async def connect(self, database: str = "postgres", role: str = SUPERUSER) -> asyncpg.Connection:
        """A service connection, as the superuser or as mere_gateway."""
        return await connect_to(self, database, role)

    async def start(self) -> None:
        """Make the cluster if there is none, end a leftover PostgreSQL, start ours, and wait until it answers."""
        account = find_account()
        binaries = reachable_binaries(find_binaries(self._configured_binaries), account)
        await self._ensure_cluster(binaries, account)
        await orphan.stop_leftover(self.data.postgres)
        self._prepare_sockets(account)
        log = self.data.path / "postgres.log"
        if log.exists() and log.stat().st_size > 10_000_000:
            log.replace(log.with_suffix(".log.old"))
        directory = self._open_directory(self.data.postgres, account)
        command = [str(binaries / "postgres"), "-D", directory]
        sockets = str(self.socket_directory)
        if account is not None and self._private_socket_directory is None:
            sockets = f"{directory}/socket"
        archiving = archive_settings(self.data.postgres, binaries, self._archive_seconds)
        for name, value in {**archiving, **self._settings, "unix_socket_directories": f'"{sockets}"'}.items():
            command += ["-c", f"{name}={value}"]
        with log.open("ab") as output:
            start = output.tell()
            self._process = self._spawn(command, account, signal.SIGINT, output=output.fileno())
        try:
            await self._until_ready(log, start)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """PostgreSQL's exit status, once it has ended."""
        if self._process is None:
            raise StartupError("PostgreSQL was not started")
        return await exited(self._process)

    async def stop(self) -> None:
        """Fast shutdown; if that hangs, immediate, then kill. Returns when no process is left."""
        process, self._process = self._process, None
        if process is not None:
            for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if process.poll() is not None:
                    break
                process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(exited(process), seconds)
            await orphan.stop_leftover(self.data.postgres)
        self._close_directory()
        if self._private_socket_directory is not None:
            shutil.rmtree(self._private_socket_directory, ignore_errors=True)
            self._private_socket_directory = None

    # -- making the cluster

    async def _ensure_cluster(self, binaries: Path, account: Account | None) -> None:
        cluster = self.data.postgres
        if cluster.exists():
            _check_cluster(cluster)
            return
        if self.data.initialized:
            raise StartupError(f"{cluster} is missing: the data directory {self.data.path} is damaged")
        fresh = self.data.path / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)  # a first start that was killed
        fresh.mkdir(mode=0o700)
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        await self._run_initdb(binaries, fresh, account)
        fresh.rename(cluster)
        parent = os.open(self.data.path, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(parent)
        os.close(parent)

    async def _run_initdb(self, binaries: Path, fresh: Path, account: Account | None) -> None:
        with tempfile.TemporaryFile(dir=self.data.path) as password, tempfile.TemporaryFile() as output:
            password.write(self.superuser_password.encode())
            password.flush()
            if account is not None:
                os.fchown(password.fileno(), account.uid, account.gid)
            os.lseek(password.fileno(), 0, os.SEEK_SET)
            command = [str(binaries / "initdb"), "-D", self._open_directory(fresh, account)]
            command += ["-U", SUPERUSER, "--pwfile=/dev/fd/%d" % password.fileno(), "--auth=scram-sha-256"]  # noqa: UP031
            command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            command += ["--no-instructions"]
            process = self._spawn(command, account, signal.SIGKILL, output.fileno(), (password.fileno(),))
            try:
                code = await exited(process)
            finally:
                # Told to stop half-way: initdb has children of its own, all in its process group.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self._close_directory()
            if code != 0:
                output.seek(0)
                lines = output.read().decode(errors="replace").strip().splitlines() or ["no message"]
                problem = next((line for line in lines if "error:" in line or "FATAL" in line), lines[-1])
                raise StartupError(f"cannot make the catalog in {fresh}: {problem}")

    def _open_directory(self, directory: Path, account: Account | None) -> str:
        """The directory's name for PostgreSQL: through a descriptor it inherits, when it is not our user."""
        if account is None:
            return str(directory)
        self._close_directory()
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}"

    def _close_directory(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _prepare_sockets(self, account: Account | None) -> None:
        name = self.data.path / "socket"
        limit = _SUN_PATH if sys.platform.startswith("linux") else 103
        remembered = self.data.path / "socket.private"
        if remembered.exists():  # of a killed server
            _remove_private(Path(remembered.read_text()))
            remembered.unlink()
        if account is not None:
            # PostgreSQL sees the data directory only through its descriptor, so the sockets lie below postgres/.
            inside = self.data.postgres / "socket"
            inside.mkdir(mode=0o700, exist_ok=True)
            os.chown(inside, account.uid, account.gid)
            if not name.is_symlink():
                name.symlink_to("postgres/socket")
        else:
            name.mkdir(mode=0o700, exist_ok=True)
        for stale in (self.socket_path, self.socket_path.with_name(self.socket_path.name + ".lock")):
            stale.unlink(missing_ok=True)  # as postmaster.pid: its pid may be anybody's
        if len(os.fsencode(name / f".s.PGSQL.{PORT}")) > limit:
            private = Path(tempfile.mkdtemp(prefix="mere-"))
            if account is not None:
                os.chown(private, account.uid, account.gid)
            remembered.write_text(str(private))
            self._private_socket_directory = private

    # -- the process

    def _spawn(
        self,
        command: list[str],
        account: Account | None,
        on_parent_death: signal.Signals,
        output: int,
        descriptors: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        keep = (*descriptors, self._descriptor) if self._descriptor >= 0 else descriptors
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
        if library := os.environ.get("LD_LIBRARY_PATH"):
            environment["LD_LIBRARY_PATH"] = library
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment,
            pass_fds=keep,
            start_new_session=True,  # Ctrl-C on a terminal is for us; we stop PostgreSQL in our own time
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            umask=0o077,
            preexec_fn=_die_with_parent(on_parent_death),
        )

    async def _until_ready(self, log: Path, start: int) -> None:
        process = self._process
        assert process is not None
        deadline = asyncio.get_running_loop().time() + self._start_seconds
        while True:
            if process.poll() is not None:
                raise StartupError(f"PostgreSQL did not start: {_last_problem(log, start)} (see {log})")
            if self.socket_path.exists():
                try:
                    connection = await self.connect()
                except (OSError, asyncpg.CannotConnectNowError):
                    pass  # still recovering, or the socket of a killed server
                except asyncpg.InvalidAuthorizationSpecificationError as error:
                    raise StartupError(f"the password in {self.data.path}/secrets does not open the catalog") from error
                else:
                    await connection.close()
                    return
            if asyncio.get_running_loop().time() > deadline:
                raise StartupError(f"PostgreSQL did not answer within {self._start_seconds:.0f} s (see {log})")
            await asyncio.sleep(0.01)


def _check_cluster(cluster: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise StartupError(f"{cluster} is damaged: it has no readable PG_VERSION; nothing was changed") from error
    if version != MAJOR_VERSION:
        raise StartupError(f"{cluster} belongs to PostgreSQL {version}, not {MAJOR_VERSION}; nothing was changed")
    for part in ("global/pg_control", "base", "pg_wal", "postgresql.conf", "pg_hba.conf"):
        if not (cluster / part).exists():
            raise StartupError(f"{cluster} is damaged: {part} is missing; nothing was changed")


def _remove_private(directory: Path) -> None:
    if directory.name.startswith("mere-") and directory.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(directory, ignore_errors=True)


def _last_problem(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    for line in lines:
        for mark in ("PANIC:  ", "FATAL:  "):
            if mark in line:
                return line.split(mark, 1)[1]
    return lines[-1] if lines else "no message"


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A kill -9 of the server must not leave PostgreSQL behind. Elsewhere than on Linux the next start ends it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    set_death_signal = 1

    def in_child() -> None:
        prctl(set_death_signal, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return in_child


async def exited(process: subprocess.Popen[bytes]) -> int:
    """The exit status, without a thread that waits: the interpreter could not end while PostgreSQL lives."""
    pause = 0.01
    while (code := process.poll()) is None:
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, 0.1)
    return code
