"""Plans as they are read: Greenplum's words, every slice once, conditions where they apply."""

from __future__ import annotations

import textwrap
from dataclasses import replace

from harness.dispatching import grouped, motion_of, plan_of, slice_of
from sqlglot import exp

from mere.plan.explain import ExplainNode, ScanFacts, as_json, explain, lines
from mere.plan.nodes import DistributedPlan, MotionKind, Share

SCANS = {"mere_scan_0": ScanFacts("Lake Scan on public.numbers", {"files": "3 of 5"}, {"rows a segment": "20 to 30"})}


def shown(plan: DistributedPlan) -> str:
    return "\n".join(lines(explain(plan, SCANS)))


def expected(text: str) -> str:
    return textwrap.dedent(text).strip()


def test_a_redistribution() -> None:
    assert shown(grouped(3)) == expected(
        """
        Sort
          Sort Key: g
          ->  Gather Motion 3:1  (slice2; segments: 3; rows: 0)
                ->  HashAggregate
                      Group Key: g
                      ->  Redistribute Motion 3:3  (slice1; segments: 3; rows: 0)
                            ->  Lake Scan on public.numbers  (files: 3 of 5; rows a segment: 20 to 30)
        """
    )


JOINED = plan_of(
    2,
    [
        slice_of(1, "SELECT g AS g FROM mere_scan_0", share=Share.ALL),
        slice_of(
            2,
            "SELECT n.g AS mere_k0, count(*) AS mere_p1 FROM mere_scan_0 AS n, mere_motion_1 AS m"
            " WHERE n.g = m.g AND n.k > 5 AND m.g < 9 AND n.k < (SELECT max(g) FROM mere_motion_1) GROUP BY 1",
            inputs=[1],
        ),
    ],
    [
        motion_of(1, MotionKind.BROADCAST, {"g": "BIGINT"}),
        motion_of(2, MotionKind.GATHER, {"mere_k0": "BIGINT", "mere_p1": "BIGINT"}),
    ],
    'SELECT mere_k0 AS g, sum(mere_p1) AS n FROM mere_motion_2 AS "G" GROUP BY mere_k0 ORDER BY 2 DESC LIMIT 3',
)


def test_conditions_stand_where_they_apply_and_a_shared_slice_once() -> None:
    assert shown(JOINED) == expected(
        """
        Limit
          ->  Sort
                Sort Key: SUM(COUNT(*)) DESC NULLS LAST
                ->  HashAggregate
                      Group Key: n.g
                      ->  Gather Motion 2:1  (slice2; segments: 2; rows: 0)
                            ->  HashAggregate
                                  Group Key: n.g
                                  ->  Hash Join
                                        Hash Cond: n.g = m.g
                                        Filter: n.k < SubPlan
                                        ->  Lake Scan on public.numbers n  (files: 3 of 5; rows a segment: 20 to 30)
                                              Filter: n.k > 5
                                        ->  Result
                                              Filter: m.g < 9
                                              ->  Broadcast Motion 2:2  (slice1; segments: 2; rows: 0)
                                                    ->  Lake Scan on public.numbers  (files: 3 of 5; read by every segment)
                                        ->  SubPlan
                                              ->  Aggregate
                                                    ->  Broadcast Motion 2:2  (slice1; segments: 2; rows: 0; shown above)
        """  # noqa: E501
    )


MERGED = plan_of(
    2,
    [
        slice_of(1, "SELECT n.g AS mere_k0, count(*) AS mere_p1, sum(n.k) AS mere_p2, count(n.k) AS mere_p3"
                 " FROM mere_scan_0 AS n GROUP BY 1"),
        slice_of(2, "SELECT g.mere_k0 AS g, CAST(coalesce(sum(g.mere_p1), 0) AS BIGINT) AS n FROM mere_motion_1 AS g"
                 " GROUP BY 1 HAVING sum(g.mere_p2) > mere_avg(sum(g.mere_p2),"
                 " CAST(coalesce(sum(g.mere_p3), 0) AS BIGINT)) ORDER BY 2 DESC", inputs=[1]),
    ],
    [
        replace(
            motion_of(1, MotionKind.REDISTRIBUTE, {f"mere_{name}": "BIGINT" for name in ("k0", "p1", "p2", "p3")}),
            keys=("mere_k0",),
        ),
        motion_of(2, MotionKind.GATHER, {"g": "BIGINT", "n": "BIGINT"}),
    ],
    "SELECT g, n FROM mere_motion_2",
)  # fmt: skip


def test_what_the_planner_made_is_shown_as_it_was_asked_for() -> None:
    assert shown(MERGED) == expected(
        """
        Gather Motion 2:1  (slice2; segments: 2; rows: 0)
          ->  Sort
                Sort Key: COUNT(*) DESC NULLS LAST
                ->  HashAggregate
                      Group Key: n.g
                      Filter: SUM(n.k) > AVG(n.k)
                      ->  Redistribute Motion 2:2  (slice1; segments: 2; rows: 0)
                            Hash Key: n.g
                            ->  HashAggregate
                                  Group Key: n.g
                                  ->  Lake Scan on public.numbers n  (files: 3 of 5; rows a segment: 20 to 30)
        """
    )


LEFT_OUT = plan_of(
    2,
    [slice_of(1, "SELECT n.g AS g FROM mere_scan_0 AS n QUALIFY rank() OVER (PARTITION BY n.g ORDER BY n.k) <= 2")],
    [motion_of(1, MotionKind.GATHER, {"g": "BIGINT"})],
    "SELECT x.g FROM (SELECT g FROM mere_motion_1) AS x WHERE x.g > 1",
)


def test_rows_that_a_rank_leaves_out() -> None:
    assert shown(LEFT_OUT) == expected(
        """
        Result
          Filter: x.g > 1
          ->  Gather Motion 2:1  (slice1; segments: 2; rows: 0)
                ->  WindowAgg
                      Filter: RANK() OVER (PARTITION BY n.g ORDER BY n.k) <= 2
                      ->  Lake Scan on public.numbers n  (files: 3 of 5; rows a segment: 20 to 30)
        """
    )


KEPT = plan_of(
    2,
    [
        slice_of(1, "SELECT n.g AS g, 0 AS mere_stays FROM mere_scan_0 AS n"),
        slice_of(
            2, "SELECT a.g AS g FROM mere_motion_1 AS a, mere_motion_1 AS b WHERE a.g = b.g AND b.g > 2", inputs=[1]
        ),
    ],
    [
        replace(
            motion_of(1, MotionKind.REDISTRIBUTE, {"g": "BIGINT", "mere_stays": "INTEGER"}),
            destination=exp.column("mere_stays"),
        ),
        motion_of(2, MotionKind.GATHER, {"g": "BIGINT"}),
    ],
    "SELECT g FROM mere_motion_2",
)


def test_rows_that_stay_where_they_are_for_several_readers() -> None:
    assert shown(KEPT) == expected(
        """
        Gather Motion 2:1  (slice2; segments: 2; rows: 0)
          ->  Hash Join
                Hash Cond: a.g = b.g
                ->  Shared Scan  (slice1; segments: 2; rows: 0)
                      ->  Lake Scan on public.numbers n  (files: 3 of 5; rows a segment: 20 to 30)
                ->  Shared Scan  (slice1; segments: 2; rows: 0; shown above)
                      Filter: b.g > 2
        """
    )
    made = as_json(explain(KEPT, SCANS))
    assert "mere_stays" not in str(made) and "'Slice': 1" in str(made)


def test_json_has_the_same_nodes() -> None:
    def nodes(node: ExplainNode) -> int:
        return 1 + sum(map(nodes, node.children))

    def keys(shown: object) -> int:
        assert isinstance(shown, dict)
        return 1 + sum(map(keys, shown.get("Plans", ())))

    tree = explain(JOINED, SCANS)
    made = as_json(tree)
    assert made["Node Type"] == "Limit" and keys(made) == nodes(tree)
