{{ config(materialized='incremental', unique_key='id', incremental_strategy='delete+insert') }}
select id, customer, amount, status, updated_at from {{ ref('orders_view') }}
{% if is_incremental() %} where updated_at >= (select max(updated_at) from {{ this }}) {% endif %}
