"""What the black-box suites share: a PostgreSQL 18 peer, a `mere serve` process, libpq calls with deadlines."""
