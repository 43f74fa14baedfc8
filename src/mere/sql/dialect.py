"""The Mere dialect of sqlglot: PostgreSQL's lexical rules and expression grammar. Coordinator process."""

from __future__ import annotations

from sqlglot.dialects.postgres import Postgres
from sqlglot.parsers.postgres import PostgresParser


class MereParser(PostgresParser):
    FUNCTIONS = {}


class Mere(Postgres):
    Parser = MereParser
