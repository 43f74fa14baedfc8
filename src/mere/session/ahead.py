"""Answers begun ahead: a query that the session asks again starts while PostgreSQL still looks at it.

For a small query PostgreSQL's analysis takes as long as the answer itself. So the answer begins beside it, on a guess:
that names, columns, types, privileges, settings and the tables' files are what they were. The analysis then says all of
them anew, and only an answer that was made of the very same things is used; any other, and any that failed, is thrown
away, and the query runs as if nothing had been. Coordinator process; one session's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mere.execute.compose import Body
from mere.execute.scans import LakeSource, LakeView, open_source
from mere.session.rows import Outcome
from mere.sql.relations import Kind
from mere.wire.messages import Field


@dataclass(frozen=True, slots=True)
class Ingredients:
    """All that an answer depends on. The query and what it reads are kept by others, so the same are the same objects;
    `body` stands for the text, the parameters, what names mean, who may read them, and how values are shown."""

    body: Body
    fields: tuple[Field, ...]
    sources: tuple[LakeSource, ...]

    def same_as(self, other: Ingredients) -> bool:
        return (
            self.body is other.body
            and self.fields == other.fields
            and len(self.sources) == len(other.sources)
            and all(mine is theirs for mine, theirs in zip(self.sources, other.sources, strict=True))
        )


async def ingredients(body: Body, fields: tuple[Field, ...], view: LakeView) -> Ingredients | None:
    """None for a query that reads, or evaluates, more than files and its own text."""
    slice_ = body.slice
    if slice_.constants or any(scan.relation.kind is not Kind.LAKE or scan.at is not None for scan in slice_.scans):
        return None
    sources = [await open_source(view, scan, view.snapshot) for scan in slice_.scans]
    if any(source.overlay is not None or source.every.inlined for source in sources):
        return None
    return Ingredients(body, fields, tuple(sources))


class Guess:
    """One answer begun ahead. `drop` must be called at the end, whatever happened."""

    def __init__(
        self,
        gather: Callable[[], Awaitable[Ingredients | None]],
        begin: Callable[[Ingredients], Awaitable[Outcome]],
    ) -> None:
        self._made_of: Ingredients | None = None
        self._task: asyncio.Task[Outcome | None] | None = asyncio.ensure_future(self._run(gather, begin))

    async def _run(
        self,
        gather: Callable[[], Awaitable[Ingredients | None]],
        begin: Callable[[Ingredients], Awaitable[Outcome]],
    ) -> Outcome | None:
        self._made_of = await gather()
        return None if self._made_of is None else await begin(self._made_of)

    async def confirmed(self, truth: Ingredients) -> Outcome | None:
        """The answer, if that is what it was made of. None also where it failed: then the query fails again, or not."""
        task = self._task
        if task is None or self._made_of is None or not self._made_of.same_as(truth):
            return None
        await asyncio.wait({task})
        self._task = None
        return None if task.cancelled() or task.exception() is not None else task.result()

    async def drop(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        outcome = None if task.cancelled() or task.exception() is not None else task.result()
        if outcome is not None and outcome.rows is not None:
            await outcome.rows.close()
