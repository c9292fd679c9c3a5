-- One row a city and day, typed; a later fetch of the same day wins.
{{ config(materialized='incremental', unique_key=['city', 'day']) }}
select
    city,
    day,
    temperature_max,
    temperature_min,
    (temperature_max + temperature_min) / 2 as temperature_mean,
    wind_max,
    precipitation
from {{ source('weather', 'raw_weather') }}
{% if is_incremental() %}
where day >= (select max(day) - interval 3 day from {{ this }})
{% endif %}
