{{ config(materialized='materialized_view') }}
select status, count(*) as orders from {{ ref('raw_orders') }} group by status
