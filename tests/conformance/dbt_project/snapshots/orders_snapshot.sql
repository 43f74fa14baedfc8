{% snapshot orders_snapshot %}
{{ config(target_schema=target.schema, unique_key='id', strategy='check', check_cols=['status', 'amount'], hard_deletes='invalidate') }}
select * from {{ ref('orders_view') }}
{% endsnapshot %}

{% snapshot orders_by_time %}
{{ config(target_schema=target.schema, unique_key='id', strategy='timestamp', updated_at='updated_at') }}
select * from {{ ref('orders_view') }}
{% endsnapshot %}
