"""Plans as they are read: Greenplum's words, every slice once, conditions where they apply."""

from __future__ import annotations

import textwrap

from harness.dispatching import grouped, motion_of, plan_of, slice_of

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


def test_json_has_the_same_nodes() -> None:
    def nodes(node: ExplainNode) -> int:
        return 1 + sum(map(nodes, node.children))

    def keys(shown: object) -> int:
        assert isinstance(shown, dict)
        return 1 + sum(map(keys, shown.get("Plans", ())))

    tree = explain(JOINED, SCANS)
    made = as_json(tree)
    assert made["Node Type"] == "Limit" and keys(made) == nodes(tree)
