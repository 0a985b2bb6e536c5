-- Which hotline rings longest?
select
    provider,
    hotline_number,
    hotline_name,
    sum(inbound_calls) as inbound,
    sum(missed_calls) as missed,
    round(sum(ring_seconds) / nullif(sum(rung_calls), 0), 1) as average_ring_seconds,
    max(longest_ring_seconds) as longest_ring_seconds
from reporting.hotline_calls
where rung_calls > 0
group by provider, hotline_number, hotline_name
order by average_ring_seconds desc, hotline_number asc
limit 5
