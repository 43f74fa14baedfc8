"""EXPLAIN of a query that the segments share: its plan, and with ANALYZE what became of each slice. Coordinator
process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pyarrow as pa

from mere.execute.answer import open_answer
from mere.execute.compose import Body
from mere.execute.dispatch import Dispatch
from mere.execute.distributed import Opened, PlanMemory, Planned, may_distribute, open_query
from mere.execute.removing import removal_plan
from mere.execute.report import SliceReport, shown_bytes, slice_reports
from mere.execute.scans import LakeSource, LakeView
from mere.execute.shares import own_shares, stored_layout
from mere.plan.explain import ExplainNode, ScanFacts, as_json, explain, lines
from mere.segment.workspace import Workspace
from mere.session.change import seen_here
from mere.session.on_segments import start_query
from mere.session.postgres_rows import PostgresRows
from mere.session.state import SessionState
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import BoundDelete, BoundMerge, BoundSelect, BoundUpdate, Scan
from mere.sql.commands import Explain
from mere.sql.relations import Kind


async def explain_distributed(
    state: SessionState,
    view: LakeView,
    bound: BoundSelect,
    memory: PlanMemory,
    verb: str | None,
    change: BoundUpdate | BoundDelete | BoundMerge | None,
    command: Explain,
    analyze: bool,
    form: str,
) -> list[str] | None:
    """The lines; None where the query stays on the coordinator. `verb` says what a statement does with its rows,
    `change` is the statement where it removes some."""
    if not may_distribute(bound, state.services.dispatcher):
        return None
    started = time.perf_counter()
    release = state.database.readers.hold(view.snapshot.id)
    workspace = state.open_workspace()
    try:
        opened = await open_query(bound, view, PostgresRows(state.backend), workspace)
        if opened.rows < state.services.dispatcher.options.rows:
            return None
        planned, running = await start_query(state, view, bound, memory, opened, workspace)
        try:
            times = {"Planning Time": time.perf_counter() - started}
            if analyze:
                await _run(running, planned, opened, workspace)
                times["Execution Time"] = time.perf_counter() - started - times["Planning Time"]
            facts = _scan_facts(bound, opened, planned)
            tree = explain(planned.plan, facts) if change is None else _removal(change, planned, facts)
            if verb is not None:
                tree = ExplainNode(verb, children=[tree])
            if form == "json":
                return [_as_json(tree, planned, running, times)]
            return _as_text(tree, planned, running, times, command.flag("verbose"))
        finally:
            await running.close()
    finally:
        release()
        await workspace.close()


def _removal(
    change: BoundUpdate | BoundDelete | BoundMerge, planned: Planned, facts: Mapping[str, ScanFacts]
) -> ExplainNode:
    """Where the delete files are written: by the segments, to which positions come by file, or by the coordinator."""
    why = seen_here(change)
    removal = removal_plan(planned.plan) if why is None else None
    if removal is None:
        why = why or "the last step of the query has them in one place"
        return ExplainNode("Delete Files by the coordinator", {why: None}, children=[explain(planned.plan, facts)])
    tree = explain(removal.plan, facts)
    tree.children = [ExplainNode("Delete Files", children=tree.children)]
    return tree


async def _run(running: Dispatch, planned: Planned, opened: Opened, workspace: Workspace) -> None:
    """Everything but sending the rows."""

    def count(batch: pa.RecordBatch) -> int:
        return int(batch.num_rows)

    answer = await open_answer(running, Body(planned.plan.root), opened.constants, workspace, count)
    try:
        async for _ in answer:
            pass
    finally:
        await answer.close()


def _scan_facts(bound: BoundSelect, opened: Opened, planned: Planned) -> dict[str, ScanFacts]:
    return {
        scan.name: _postgres_facts(scan, planned)
        if scan.relation.kind is Kind.POSTGRES
        else _lake_facts(opened.sources[scan.name], planned.plan.segments)
        for scan in bound.scans
    }


def _postgres_facts(scan: Scan, planned: Planned) -> ScanFacts:
    name = f"{scan.relation.schema}.{scan.relation.name}"
    return ScanFacts(f"PostgreSQL Scan on {name}", {"rows": planned.postgres_rows[scan.name]})


def _lake_facts(source: LakeSource, segments: int) -> ScanFacts:
    relation, files = source.scan.relation, source.files
    facts: dict[str, object] = {"files": f"{len(files.files)} of {len(source.every.files)}", "rows": files.rows}
    deletes = sum(file.delete is not None for file in files.files)
    if deletes:
        facts["files with deleted rows"] = deletes
    shares = [sum(file.live_rows for file in share) for share in own_shares(source, segments)]
    spread = "by bucket" if stored_layout(source) is not None else "by rows"
    own = {"rows a segment": f"{min(shares)} to {max(shares)} {spread}"}
    return ScanFacts(f"Lake Scan on {relation.schema}.{relation.name}", facts, own)


def _as_text(
    tree: ExplainNode, planned: Planned, running: Dispatch, times: Mapping[str, float], verbose: bool
) -> list[str]:
    reports = slice_reports(running.report)
    shown = lines(tree, lambda node: reports[node.slice].brief if node.slice in reports else "")
    if reports:
        shown.append("Slice statistics:")
        shown += [line for report in reports.values() for line in report.lines()]
        shown.append(f"Bytes moved: {shown_bytes(sum(report.bytes for report in reports.values()))}")
        shown.append(f"Time in the queue: {running.report.waited * 1000:.3f} ms")
    if planned.plan.whole is not None:
        shown.append(f"Whole on one segment: {planned.plan.whole}")
    shown.append("Optimizer: Mere")
    shown += [f"{name}: {seconds * 1000:.3f} ms" for name, seconds in times.items()]
    if verbose:
        for slice_ in planned.plan.slices:
            shown.append(f"Query of slice{slice_.number}:  {duckdb_text(slice_.tree)}")
    return shown


def _as_json(tree: ExplainNode, planned: Planned, running: Dispatch, times: Mapping[str, float]) -> str:
    reports: Mapping[int, SliceReport] = slice_reports(running.report)

    def more(node: ExplainNode) -> Mapping[str, object]:
        report = reports.get(node.slice) if node.slice is not None else None
        if report is None:
            return {}
        return {
            "Actual Rows": report.rows,
            "Actual Bytes": report.bytes,
            "Actual Time": round(report.seconds * 1000, 3),
            "Retries": len(report.lost),
        }

    shown: dict[str, object] = {"Plan": as_json(tree, more), "Optimizer": "Mere"}
    if planned.plan.whole is not None:
        shown["Whole on One Segment"] = planned.plan.whole
    if reports:
        shown["Slice Statistics"] = [report.as_json() for report in reports.values()]
        shown["Queue Time"] = round(running.report.waited * 1000, 3)
    shown |= {name: round(seconds * 1000, 3) for name, seconds in times.items()}
    return json.dumps([shown], indent=2)
