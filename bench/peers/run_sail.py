"""Sail in local-cluster mode, through Spark Connect."""

import os

os.environ["SAIL_MODE"] = "local-cluster"
os.environ["SAIL_CLUSTER__WORKER_TASK_SLOTS"] = "1"
os.environ["SAIL_CLUSTER__WORKER_INITIAL_COUNT"] = "2"
os.environ["SAIL_CLUSTER__WORKER_MAX_COUNT"] = "2"

from answer import files, leave, measure
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

server = SparkConnectServer()
server.start()
_, port = server.listening_address
session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
for file in files():
    session.read.parquet(str(file)).createOrReplaceTempView(file.stem)
measure(lambda sql: len(session.sql(sql).collect()))
leave()
