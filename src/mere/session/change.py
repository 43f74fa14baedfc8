"""UPDATE, DELETE and MERGE of lake tables: delete files for the rows that go, data files for those that come.

Lives in the coordinator process. The changed rows are materialised once in DuckDB, so that every step after sees the
same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mere.errors import FeatureNotSupported, MereError
from mere.execute.distributed import may_distribute
from mere.execute.scans import LakeView, own_url, table_files
from mere.lake.files import DataFile
from mere.lake.message import InlinedDelete, NewDelete
from mere.lake.overlay import TableOverlay
from mere.lake.scan import INLINED_PREFIX
from mere.segment.deletes import DeleteTarget, write_deletes
from mere.segment.task import SOURCE, Change
from mere.segment.workspace import Workspace
from mere.session.checks import with_checks
from mere.session.defaults import default_expressions, is_stable
from mere.session.on_segments import changed, source_text
from mere.session.state import SessionState
from mere.session.store import add_files, store, write_target
from mere.sql.bind.bound import ROWS, BoundDelete, BoundMerge, BoundUpdate
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Relation
from mere.sql.types import duckdb_type

_POSITION_COLUMNS = (("mere_file", "VARCHAR"), ("mere_pos", "BIGINT"))
_POSITIONS = f"SELECT mere_file, mere_pos FROM {ROWS} WHERE mere_file IS NOT NULL"


async def delete(state: SessionState, view: LakeView, bound: BoundDelete, workspace: Workspace) -> int:
    """Removes the rows that the bound query names and returns how many they were; they stand in `mere_rows` after."""
    count = await _materialise(state, view, bound, workspace, ROWS)
    await _remove(state, view, bound.relation, workspace)
    return count


async def update(state: SessionState, view: LakeView, bound: BoundUpdate, workspace: Workspace) -> int:
    """Rows as they become stand in `mere_rows` afterwards."""
    replaced = await _on_segments(state, view, bound, workspace, f"SELECT {_columns(bound.relation)} FROM {ROWS}")
    if replaced is not None:
        return replaced
    count = await _materialise(state, view, bound, workspace, SOURCE)
    await _apply_defaults(state, workspace, bound, count)
    if count:
        await _remove(state, view, bound.relation, workspace)
        query = f"SELECT {_columns(bound.relation)} FROM {ROWS}"
        await store(state, workspace, bound.relation, query, view.snapshot.id)
    return count


async def merge(state: SessionState, view: LakeView, bound: BoundMerge, workspace: Workspace) -> int:
    kept = f"SELECT {_columns(bound.relation)} FROM {ROWS} WHERE mere_action <> 'DELETE'"
    replaced = await _on_segments(state, view, bound, workspace, kept)
    if replaced is not None:
        return replaced
    count = await _materialise(state, view, bound, workspace, SOURCE)
    await _refuse_second_match(workspace, SOURCE)
    await _apply_defaults(state, workspace, bound, count)
    if count:
        await _remove(state, view, bound.relation, workspace)
        await store(state, workspace, bound.relation, kept, view.snapshot.id)
    return count


async def _on_segments(
    state: SessionState, view: LakeView, bound: BoundUpdate | BoundMerge, workspace: Workspace, kept: str
) -> int | None:
    """Each segment finds its share of the rows and writes what becomes of them; the positions of those that they
    replace stand in `mere_rows` afterwards. None where the rows must be seen here."""
    own = any(d.expression is not None and not is_stable(d.expression) for d in bound.defaults)
    if own or bound.returning is not None or not may_distribute(bound.select, state.services.dispatcher):
        return None
    values = await default_expressions(state, workspace, bound.defaults, SOURCE, 0)
    target = write_target(state, bound.relation)
    change = Change(_final_rows(bound, values), kept, target, f"SELECT mere_file, mere_pos FROM {ROWS}")
    found = await changed(state, view, bound.select, workspace, change, _POSITION_COLUMNS)
    if found is None:
        return None
    files, count = found
    if isinstance(bound, BoundMerge):
        await _refuse_second_match(workspace, ROWS)
    await _remove(state, view, bound.relation, workspace)
    add_files(state, bound.relation, files, view.snapshot.id)
    return count


async def _materialise(
    state: SessionState, view: LakeView, bound: BoundUpdate | BoundDelete | BoundMerge, workspace: Workspace, name: str
) -> int:
    text = await source_text(state, view, bound.select, workspace)
    await workspace.execute(f"CREATE TEMP TABLE {name} AS {text}")
    return int((await workspace.rows(f"SELECT count(*) FROM {name}"))[0][0])


async def _refuse_second_match(workspace: Workspace, table: str) -> None:
    twice = await workspace.rows(
        f"SELECT 1 FROM {table} WHERE mere_file IS NOT NULL GROUP BY mere_file, mere_pos HAVING count(*) > 1 LIMIT 1"
    )
    if twice:
        raise MereError(
            "MERGE command cannot affect row a second time",
            sqlstate="21000",
            hint="Ensure that not more than one source row matches any one target row.",
        )


async def _apply_defaults(
    state: SessionState, workspace: Workspace, bound: BoundUpdate | BoundMerge, count: int
) -> None:
    """Makes `mere_rows` of `mere_source`: columns set to DEFAULT get it, CHECK constraints are looked at."""
    values = await default_expressions(state, workspace, bound.defaults, SOURCE, count)
    await workspace.execute(f"CREATE TEMP TABLE {ROWS} AS {_final_rows(bound, values)}")


def _final_rows(bound: BoundUpdate | BoundMerge, values: Mapping[int, str]) -> str:
    """`mere_source` with its defaults, failing at the first row that breaks a constraint."""
    replaced = []
    for column in bound.relation.columns:
        if column.attnum not in values:
            continue
        name = quote_identifier(column.name)
        value = f"CAST({values[column.attnum]} AS {duckdb_type(column.type)})"
        if isinstance(bound, BoundMerge):
            mark = quote_identifier(f"mere_default_{column.attnum}")
            value = f"CASE WHEN {mark} THEN {value} ELSE {name} END"
        replaced.append(f"{value} AS {name}")
    star = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    return with_checks(bound.relation, bound.checks, f"SELECT {star} FROM {SOURCE}")


def _columns(relation: Relation) -> str:
    return ", ".join(quote_identifier(column.name) for column in relation.columns)


@dataclass(frozen=True, slots=True)
class _Touched:
    """A file that loses rows: `lost` of them now."""

    file: DataFile
    lost: int


async def _remove(state: SessionState, view: LakeView, relation: Relation, workspace: Workspace) -> None:
    """Adds to the transaction that the rows at the positions in `mere_rows` are gone."""
    counts = await workspace.rows(f"SELECT mere_file, count(DISTINCT mere_pos) FROM ({_POSITIONS}) GROUP BY mere_file")
    if not counts:
        return
    overlay = state.transaction.overlay.table(relation.oid)
    files = await table_files(view, relation, view.snapshot, overlay, for_change=True)
    by_url = {file.url: file for file in files.files}
    lost = {str(url): int(count) for url, count in counts if not str(url).startswith(INLINED_PREFIX)}
    touched = {url: _Touched(by_url[url], count) for url, count in lost.items()}
    emptied = {url: t for url, t in touched.items() if t.lost >= t.file.live_rows and not _is_partial(t.file)}
    targets = {url: _delete_target(relation, view, t.file, overlay) for url, t in touched.items() if url not in emptied}
    deletes = await _write_deletes(state, view, relation, workspace, targets)
    state.transaction.overlay = state.transaction.overlay.delete(
        relation.oid,
        view.snapshot.id,
        deletes,
        removed={t.file.id: _committed_delete(t.file, overlay) for t in emptied.values() if t.file.id is not None},
        removed_new=frozenset(_relative(relation, view, url) for url, t in emptied.items() if t.file.id is None),
        inlined=await _inlined_deletes(workspace, counts),
    )


def _is_partial(file: DataFile) -> bool:
    """A file that holds rows of later snapshots too, or deletions noted elsewhere, cannot be dropped whole."""
    return file.snapshot_filter is not None or bool(file.inlined_deletes)


def _delete_target(relation: Relation, view: LakeView, file: DataFile, overlay: TableOverlay | None) -> DeleteTarget:
    if file.delete is not None and file.delete.format != "parquet":
        raise FeatureNotSupported(f"delete files of format {file.delete.format} are not supported")
    old = None if file.delete is None else file.delete.url
    if file.id is None:
        return DeleteTarget(None, _relative(relation, view, file.url), old, None)
    return DeleteTarget(file.id, None, old, _committed_delete(file, overlay))


def _committed_delete(file: DataFile, overlay: TableOverlay | None) -> int | None:
    """The delete file that the file has for everybody, whatever this transaction has put in its place."""
    own = None if overlay is None else overlay.deletes.get(file.url)
    if own is not None:
        return own.replaces
    return None if file.delete is None else file.delete.id


def _relative(relation: Relation, view: LakeView, url: str) -> str:
    return url.removeprefix(own_url(view, relation, ""))


async def _write_deletes(
    state: SessionState, view: LakeView, relation: Relation, workspace: Workspace, targets: dict[str, DeleteTarget]
) -> dict[str, NewDelete]:
    if not targets:
        return {}
    prefix = own_url(view, relation, "")
    listed = ", ".join("'" + url.replace("'", "''") + "'" for url in targets)
    positions = f"SELECT * FROM ({_POSITIONS}) AS mere_gone WHERE mere_file IN ({listed})"
    written = await write_deletes(workspace, state.services.storage, positions, prefix, targets)
    state.transaction.track({prefix + delete.path for delete in written})
    by_target = {(d.data_file_id, d.data_file_path): d for d in written}
    return {url: by_target[target.data_file_id, target.data_file_path] for url, target in targets.items()}


async def _inlined_deletes(workspace: Workspace, counts: list[tuple[object, ...]]) -> tuple[InlinedDelete, ...]:
    """Rows that a plain DuckDB keeps in PostgreSQL are deleted there, by the commit."""
    found = []
    for name in sorted(str(url) for url, _ in counts if str(url).startswith(INLINED_PREFIX)):
        rows = await workspace.rows(f"SELECT DISTINCT mere_pos FROM ({_POSITIONS}) WHERE mere_file = ?", [name])
        found.append(InlinedDelete(name.removeprefix(INLINED_PREFIX), tuple(int(row[0]) for row in rows)))
    return tuple(found)
