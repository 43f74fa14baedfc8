{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge', on_schema_change='append_new_columns') }}
select id, customer, amount, status, updated_at {% if var('wider', false) %}, upper(customer) as shouted {% endif %}
from {{ ref('orders_view') }}
{% if is_incremental() %} where updated_at >= (select max(updated_at) from {{ this }}) {% endif %}
