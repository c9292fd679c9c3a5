-- Cleaned bars: a day rather than a time, prices that are prices.
{{ config(materialized='incremental', unique_key=['symbol', 'day']) }}
select symbol, cast(ts as date) as day, open, high, low, close, volume
from {{ source('prices', 'raw_bars') }}
where close > 0
{% if is_incremental() %}
  and cast(ts as date) >= (select max(day) - interval 40 day from {{ this }})
{% endif %}
