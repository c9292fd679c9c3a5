{{ config(materialized='table') }}
select
    city,
    date_trunc('month', day)::date as month,
    round(avg(temperature_mean), 1) as temperature_mean,
    round(sum(precipitation), 1) as precipitation_sum
from {{ ref('stg_weather') }}
group by city, month
order by city, month
