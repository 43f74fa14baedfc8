"""DataFusion, in one process with two partitions."""

from answer import files, leave, measure
from datafusion import SessionConfig, SessionContext

context = SessionContext(SessionConfig().with_target_partitions(2))
for file in files():
    context.register_parquet(file.stem, str(file))
measure(lambda sql: sum(batch.num_rows for batch in context.sql(sql).collect()))
leave()
