-- Returns, moving averages, volatility and drawdown, bar by bar.
{{ config(materialized='table') }}
{% set windows = [20, 50] %}
with returns as (
    select
        symbol, day, close,
        ln(close / lag(close) over bars) as log_return,
        max(close) over (bars rows unbounded preceding) as highest
    from {{ ref('stg_bars') }}
    window bars as (partition by symbol order by day)
)
select
    symbol,
    day,
    close,
    round(100 * (exp(log_return) - 1), 3) as return_percent,
    {% for n in windows %}
    round(avg(close) over (partition by symbol order by day rows {{ n - 1 }} preceding), 4) as average_{{ n }},
    {% endfor %}
    round(100 * stddev_samp(log_return) over (partition by symbol order by day rows 19 preceding), 4) as volatility_20,
    round(100 * (close / highest - 1), 3) as drawdown_percent
from returns
order by symbol, day
