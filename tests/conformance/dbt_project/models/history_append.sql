{{ config(materialized='incremental', incremental_strategy='append', indexes=[{'columns': ['id']}], pre_hook="select 1", post_hook="analyze {{ this }}") }}
select id, updated_at from {{ ref('orders_view') }}
{% if is_incremental() %} where updated_at > (select max(updated_at) from {{ this }}) {% endif %}
