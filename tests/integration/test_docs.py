"""Every statement that the documentation shows in a sql block runs, in the order of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from differential.differences import DIFFERENCES
from harness.mere import MereProcess

from mere.demo.seaweed import SeaweedFS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("getting_started.md", "sql.md", "functions.md", "maintenance.md")


def statements(page: str) -> Iterator[str]:
    for block in re.findall(r"```sql\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
        for statement in block.split(";\n"):
            if statement.strip():
                yield statement.strip()


@pytest.mark.parametrize("page", PAGES)
def test_every_statement_of_the_page_runs(page: str, mere: MereProcess, object_store: SeaweedFS) -> None:
    schema = f"docs_{page.removesuffix('.md')}"
    with psycopg.connect(mere.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"SET search_path = {schema}")
        try:
            ran = 0
            for statement in statements(page):
                text = statement.replace("s3://bucket/out/", f"{object_store.url}/exchange/{schema}/")
                try:
                    connection.execute(text)
                except psycopg.Error as error:
                    pytest.fail(f"{statement}\n{error}")
                ran += 1
            assert ran > 5
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_difference_on_purpose_is_told() -> None:
    page = " ".join((DOCS / "compatibility.md").read_text().split())
    assert [reason for reason in DIFFERENCES.values() if reason not in page] == [], "docs/compatibility.md lacks these"
