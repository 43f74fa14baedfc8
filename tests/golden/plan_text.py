"""A plan as text: slices with their SQL, and motions in Greenplum's words."""

from __future__ import annotations

from mere.plan.nodes import DistributedPlan, Motion, MotionKind, SegmentSlice, Share, Where
from mere.sql.bind import duckdb_text


def plan_text(plan: DistributedPlan) -> str:
    """One line for each slice and one for its query; the coordinator's last."""
    lines = [] if plan.whole is None else [f"whole: {plan.whole}"]
    leaving: dict[int, list[Motion]] = {}
    for motion in plan.motions:
        leaving.setdefault(motion.sender, []).append(motion)
    for slice_ in plan.slices:
        lines.append(f"slice {slice_.number}, {_where(slice_)}{_scans(slice_)}")
        lines.append(f"  {duckdb_text(slice_.tree)}")
        lines += [f"  => {_motion(motion)}" for motion in leaving.get(slice_.number, ())]
    lines.append("coordinator" + (" passes on" if plan.plain else ""))
    lines.append(f"  {duckdb_text(plan.root.tree)}")
    return "\n".join(lines)


def _where(slice_: SegmentSlice) -> str:
    return "every segment" if slice_.where is Where.EVERY else "one segment"


def _scans(slice_: SegmentSlice) -> str:
    """What a slice on every segment reads whole is worth a word; one segment reads all of everything."""
    whole = [name for name, share in slice_.scans if share is Share.ALL]
    return f" (all of {', '.join(whole)})" if whole and slice_.where is Where.EVERY else ""


def _motion(motion: Motion) -> str:
    text = f"{motion.table}: {motion.kind.value} Motion"
    if motion.kind is MotionKind.REDISTRIBUTE and motion.destination is not None:
        text += f", Hash Key: {', '.join(motion.keys)} [{duckdb_text(motion.destination)}]"
    if motion.order:
        text += f", Merge Key: {', '.join(duckdb_text(key) for key in motion.order)}"
    return text
