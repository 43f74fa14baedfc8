{{ config(materialized='ephemeral') }}
select * from {{ ref('orders_view') }} where amount < {{ var('cheap', 15) }}
