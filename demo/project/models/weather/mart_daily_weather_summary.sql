-- What the weather was like, by city, over all days that were fetched.
{{ config(materialized='table') }}
select
    city,
    count(*) as days,
    min(day) as first_day,
    max(day) as last_day,
    min(temperature_min) as temperature_min,
    max(temperature_max) as temperature_max,
    round(avg(temperature_mean), 2) as temperature_mean,
    round(avg(wind_max), 2) as wind_mean,
    max(wind_max) as wind_max,
    round(sum(precipitation), 1) as precipitation_sum
from {{ ref('stg_weather') }}
group by city
order by city
