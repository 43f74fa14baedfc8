{{ config(materialized='view') }}
select id, customer, amount, status, placed_at::date as placed_at, updated_at::timestamp as updated_at
from {{ ref('raw_orders') }}
