select id, customer, amount from {{ ref('cheap') }}
