"""`mere state`: is the warehouse up, and what is in it. The server gives the answer, the command the table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mere.catalog.datadir import MARKER
from mere.cli.control import Answer, NotServing, ask
from mere.errors import StartupError
from mere.settings import Settings

DOWN = 1


def show_state(settings: Settings) -> int:
    if not (settings.data / MARKER).exists():
        raise StartupError(f"{settings.data} is not a Mere data directory")
    console = Console(highlight=False)
    try:
        answers = list(ask(settings.data, {"command": "state"}))
    except NotServing:
        console.print(f"Mere is down; its data directory is {settings.data}", soft_wrap=True)
        return DOWN
    place = f"its data directory is {settings.data}, its storage {answers[0]['storage']}"
    console.print(f"Mere is up at {answers[0]['listen']}; {place}", soft_wrap=True)
    for answer in answers:
        if "cluster" in answer:
            _show_cluster(console, answer["cluster"])
    segments = [answer["segment"] for answer in answers if "segment" in answer]
    databases = [answer for answer in answers if "database" in answer]
    console.print(_segment_table(segments))
    table = Table()
    table.add_column("database")
    for name in ("tables", "rows", "size"):
        table.add_column(name, justify="right")
    for answer in databases:
        counts = (f"{answer['tables']:,}", f"{answer['rows']:,}", readable_size(answer["bytes"]))
        table.add_row(answer["database"], *counts)
    console.print(table)
    for answer in answers:
        if "backups" in answer:
            console.print(_backup_line(answer["backups"]), soft_wrap=True)
    return 0


def _backup_line(told: Answer) -> str:
    """Until when the catalog could be brought back with every disk of its coordinators lost."""
    last = "none yet" if told["last_backup"] is None else _moment(told["last_backup"])
    parts = [f"Last backup: {last}"]
    if told["archived_at"] is not None:
        parts.append(f"changes archived {_moment(told['archived_at'])}")
    if told["waiting_bytes"]:
        parts.append(f"{readable_size(told['waiting_bytes'])} wait to be archived")
    if told["problem"] is not None:
        parts.append(f"trouble: {told['problem']}")
    return "; ".join(parts)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ") + " UTC"


_ROLES = {
    "leader": "primary",
    "sync_standby": "standby, synchronous",
    "replica": "standby, not synchronous",
}


def _show_cluster(console: Console, cluster: Answer) -> None:
    table = Table()
    for name in ("coordinator", "role", "state"):
        table.add_column(name)
    for name in ("timeline", "lag", "lease"):
        table.add_column(name, justify="right")
    for member in cluster["members"]:
        own = member["name"] == cluster["node"]
        role = _ROLES.get(member["role"], member["role"])
        lag = member.get("lag", "")
        lease = f"{cluster['lease']:.1f} s" if own and cluster["lease"] is not None else ""
        table.add_row(
            member["name"] + (" (this one)" if own else ""),
            role,
            member.get("state", ""),
            str(member.get("timeline", "")),
            readable_size(lag) if isinstance(lag, int) else str(lag),
            lease or ("held" if member["role"] == "leader" else ""),
        )
    console.print(table)
    wait = cluster["standby_wait"]
    choice = "wait until it is back" if wait is None else f"go on alone after {wait:g} s"
    told = [f"Cluster {cluster['name']}: a leader's lease is {cluster['lease_seconds']} s"]
    told.append(f"without a standby commits {choice}")
    told += [cluster[name] for name in ("durability", "trouble") if name in cluster]
    console.print("; ".join(told), soft_wrap=True)


def _segment_table(segments: Sequence[Answer]) -> Table:
    table = Table()
    table.add_column("segment", justify="right")
    for name in ("host", "process", "status", "role", "up since", "restarts"):
        table.add_column(name, justify="right" if name in ("process", "restarts") else "left")
    for segment in segments:
        since = segment["started"][:19].replace("T", " ") if segment["started"] else ""
        process = "" if segment["pid"] is None else str(segment["pid"])
        shown = (segment["host"], process, segment["status"], "primary", since, str(segment["restarts"]))
        table.add_row(str(segment["id"]), *shown)
    return table


def readable_size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
