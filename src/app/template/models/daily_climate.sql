-- `table` is built anew by each run; `incremental` would add only what is new (see is_incremental()).
-- It is built and tested in one transaction: when a test in schema.yml fails, the former table stays.
{{ config(materialized='table', tags=['home']) }}

select
    readings.day,
    rooms.floor,
    readings.room,
    round(avg(readings.temperature), 1) as temperature_mean,
    min(readings.temperature) as temperature_min,
    max(readings.temperature) as temperature_max,
    round(avg(readings.humidity), 0) as humidity_mean,
    avg(readings.temperature) >= {{ var('comfortable_from') }} as comfortable
from {{ ref('stg_readings') }} as readings
join {{ ref('rooms') }} as rooms on rooms.room = readings.room
group by readings.day, rooms.floor, readings.room
order by readings.day, rooms.floor
