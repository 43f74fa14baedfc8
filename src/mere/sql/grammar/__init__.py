"""PostgreSQL's tokens and expression grammar for sqlglot's parser. Coordinator process."""
