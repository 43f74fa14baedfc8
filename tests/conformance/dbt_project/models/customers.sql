with orders as (select * from {{ ref('orders_view') }})
select customer, count(*) as orders, coalesce(sum(amount), 0) as total, max(placed_at) as last_order
from orders
group by customer
