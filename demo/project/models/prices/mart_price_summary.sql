{{ config(materialized='table') }}
select
    p.symbol,
    s.name,
    s.bars,
    count(*) as bars_count,
    min(p.day) as first_day,
    max(p.day) as last_day,
    arg_min(p.close, p.day) as first_close,
    arg_max(p.close, p.day) as last_close,
    round(100 * (last_close / first_close - 1), 1) as change_percent,
    min(p.drawdown_percent) as worst_drawdown_percent
from {{ ref('mart_prices') }} p
join {{ ref('symbols') }} s using (symbol)
group by p.symbol, s.name, s.bars
order by p.symbol
