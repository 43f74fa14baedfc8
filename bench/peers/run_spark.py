"""Spark on two local threads."""

from answer import files, leave, measure
from pyspark.sql import SparkSession

session = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "8g")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "ERROR")
    .getOrCreate()
)
for file in files():
    session.read.parquet(str(file)).createOrReplaceTempView(file.stem)
measure(lambda sql: len(session.sql(sql).collect()))
leave()
