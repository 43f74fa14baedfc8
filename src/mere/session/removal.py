"""From rows that are gone to the transaction's overlay: delete files, files dropped whole, rows inlined in PostgreSQL.

Lives in the coordinator process. The delete files are written by the segments (see execute.removing), or here where the
rows are here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mere.execute.removing import losing_files
from mere.execute.scans import LakeView, own_url, table_files
from mere.lake.files import DataFile, TableFiles
from mere.lake.message import InlinedDelete, NewDelete
from mere.lake.overlay import TableOverlay
from mere.lake.scan import INLINED_PREFIX
from mere.segment.deletes import FILES, LosingFile, Lost, file_table, numbered, write_deletes
from mere.segment.workspace import Workspace
from mere.session.state import SessionState
from mere.sql.bind.bound import ROWS
from mere.sql.relations import Relation


async def remove_here(
    state: SessionState, view: LakeView, relation: Relation, workspace: Workspace, *, once: bool = False
) -> None:
    """The rows at the positions in `mere_rows` are gone: written on the coordinator's engine. `once` as in
    write_deletes."""
    overlay = state.transaction.overlay.table(relation.oid)
    files = await table_files(view, relation, view.snapshot, overlay, for_change=True)
    losing = losing_files(files)
    await workspace.load(FILES, file_table(losing))
    prefix = own_url(view, relation, "")
    lost = await write_deletes(workspace, state.services.storage, numbered(ROWS), prefix, once=once)
    await workspace.execute(f"DROP TABLE {FILES}")
    note_removed(state, view, relation, files, losing, lost)


def note_removed(
    state: SessionState,
    view: LakeView,
    relation: Relation,
    files: TableFiles,
    losing: Sequence[LosingFile],
    lost: Sequence[Lost],
) -> None:
    """Adds to the transaction what became of the files."""
    if not lost:
        return
    prefix = own_url(view, relation, "")
    overlay = state.transaction.overlay.table(relation.oid)
    by_url = {file.url: file for file in files.files}
    deletes: dict[str, NewDelete] = {}
    removed: dict[int, int | None] = {}
    removed_new: set[str] = set()
    inlined: list[InlinedDelete] = []
    for each in lost:
        url = losing[each.number].url
        if losing[each.number].inlined:
            inlined.append(InlinedDelete(url.removeprefix(INLINED_PREFIX), each.positions))
        elif each.path is not None:
            deletes[url] = _new_delete(by_url[url], each, each.path, prefix, overlay)
        elif (file := by_url[url]).id is not None:
            removed[file.id] = _committed_delete(file, overlay)
        else:
            removed_new.add(url.removeprefix(prefix))
    state.transaction.track({prefix + delete.path for delete in deletes.values()})
    state.transaction.overlay = state.transaction.overlay.delete(
        relation.oid,
        view.snapshot.id,
        deletes,
        removed,
        frozenset(removed_new),
        tuple(sorted(inlined, key=lambda each: each.inlined_table)),
    )


def _new_delete(file: DataFile, lost: Lost, path: str, prefix: str, overlay: TableOverlay | None) -> NewDelete:
    """The data file is a committed one, or one of this transaction, which its path names."""
    own = file.id is None
    return NewDelete(
        data_file_id=file.id,
        data_file_path=file.url.removeprefix(prefix) if own else None,
        path=path,
        count=lost.count,
        size=lost.size,
        footer_size=lost.footer_size,
        replaces=None if own else _committed_delete(file, overlay),
    )


def _committed_delete(file: DataFile, overlay: TableOverlay | None) -> int | None:
    """The delete file that the file has for everybody, whatever this transaction has put in its place."""
    deletes: Mapping[str, NewDelete] = {} if overlay is None else overlay.deletes
    own = deletes.get(file.url)
    if own is not None:
        return own.replaces
    return None if file.delete is None else file.delete.id
