"""What the published copy is asked of recordings, in SQL.

    reporting.recordings ──▶ listed ──┐ by call and position
    callsync.recording_files ─┐       ├──▶ shifted     calls whose rows belong under other positions
    the journal ──────────────┴▶ kept ┴──▶ wanted      what is not held

`kept` and `shifted` are tables of the connection; `listed` is read anew for each question.
"""

from __future__ import annotations

from pipelines.recordings.outcome import Status

KEPT = f"""
create temp table kept as
select * from outcomes
where status <> '{Status.MOVED}'
union all by name
select {{columns}} from {{files}} as files
where not exists (
    select 1 from outcomes
    where outcomes.call_id = files.call_id and outcomes.position = files.position
)
"""

_SIGNATURES = (
    "x-(amz|goog|oss|cos|ms)-.*|q-(sign-.*|ak|key-time|header-list|url-param-list)|awsaccesskeyid|googleaccessid"
    "|ossaccesskeyid|signature|sign|sig|hmac|expires?|expiry|exp|key-pair-id|policy|(access_?)?token|timestamp"
    "|nonce|s[eprtv]|spr|sip|skoid|sktid|skt|ske|sks|skv"
)
"""What storage and its gateways sign addresses with: another one each time, for the same recording."""

SOURCE = f"""
create temp macro address_of(url) as split_part(url, '?', 1);
create temp macro query_of(url) as array_to_string(
    list_sort([
        part for part in string_split(split_part(substr(url, length(address_of(url)) + 2), '#', 1), '&')
        if not regexp_full_match(split_part(part, '=', 1), '{_SIGNATURES}|', 'i')
    ]),
    '&'
);
create temp macro source_of(recording_id, url) as coalesce(
    nullif(recording_id, ''),
    address_of(url) || if(query_of(url) = '', '', '?' || left(sha256(query_of(url)), 16)),
    ''
)
"""
"""What tells recordings of a call apart. A query may name a person, or hold a secret: its hash is enough."""

_ALL = """
listed as not materialized (
    select
        *,
        source_of(recording_id, url) as source,
        coalesce(nullif(recording_id, ''), address_of(url), '') as address
    from reporting.recordings
    where provider || '.' || account in (select unnest($accounts))
)
"""
"""Read anew wherever it is named: of millions of recordings it takes much memory and little time."""

SHIFTED = f"""
create temp table shifted as
with
{_ALL}
select distinct listed.call_id from listed
inner join kept on listed.call_id = kept.call_id
where
    (listed.position = kept.position and listed.source <> kept.source)
    or (listed.position <> kept.position and listed.source = kept.source)
"""

KNOWN_BY_ADDRESS = f"""
with
{_ALL},

earlier as (
    select distinct call_id from kept
    where exists (
        select 1 from listed
        where
            listed.call_id = kept.call_id
            and listed.address = kept.source
            and listed.source <> listed.address
    )
),

once as (
    select
        call_id,
        address,
        any_value(source) as source
    from listed
    where call_id in (select call_id from earlier)
    group by call_id, address
    having count(*) = 1
)

update kept set source = once.source from once
where kept.call_id = once.call_id and kept.source = once.address
"""
"""Earlier versions kept nothing of a query: where one recording of a call has that address, it is that."""

OF_SHIFTED = f"""
with
{_ALL}
select call_id, position, source from listed
where call_id in (select call_id from shifted)
"""

ROWS_OF_SHIFTED = """
select {columns} from kept
where call_id in (select call_id from shifted)
order by call_id, position
"""

WANTED = f"""
with
{_ALL},

wanted as (
    select
        {{listed}},
        listed.source,
        {{kept}},
        row_number() over (
            partition by listed.provider, listed.account
            order by coalesce(kept.attempts, 0), listed.started_at, listed.call_id, listed.position
        ) as turn
    from listed
    left join kept on listed.call_id = kept.call_id and listed.position = kept.position
    where
        (
            kept.status is null or kept.status = 'failed'
            or (kept.status = 'gone' and $retry_gone)
            or (kept.status = 'gone' and kept.error = $no_address and listed.url <> '')
            or (kept.status in ('held', 'gone') and kept.source <> listed.source)
        )
        and ($kept_from is null or listed.started_at is null or listed.started_at >= $kept_from)
        and ($start is null or listed.started_at >= $start)
        and ($end is null or listed.started_at < $end)
),

chosen as (select * from wanted order by turn, provider, account {{limit}}),

beside as (
    select
        call_id,
        position
    from listed
    where call_id in (select call_id from chosen)
),

files as (
    select
        kept.call_id,
        list(row(kept.position, kept.path, kept.bytes, kept.sha256, beside.call_id is not null)) as files
    from kept
    left join beside on kept.call_id = beside.call_id and kept.position = beside.position
    where kept.path is not null and kept.call_id in (select call_id from chosen)
    group by kept.call_id
)
"""

EXPIRED = """
select {kept} from kept
where
    path is not null and started_at < $kept_from
    and ($is_everyone or provider || '.' || account in (select unnest($accounts)))
order by started_at, call_id, position
"""
