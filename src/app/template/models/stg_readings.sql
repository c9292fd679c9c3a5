-- A model is one SELECT; its table or view gets the name of this file. The layout is dbt's.
-- source('readings') is the table of sources/readings.yml. Naming it makes this model run after it.
{{ config(materialized='view') }}

select
    room,
    measured_at,
    cast(measured_at as date) as day,
    temperature,
    humidity
from {{ source('readings') }}
