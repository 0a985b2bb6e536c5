-- Each number that a call bears is read once, and has an E.164 exactly where it is valid.
with

numbers as (

    select
        number,
        count(*) as row_count,
        min(e164) as e164,
        min(kind) as kind,
        min(case when is_valid then 1 else 0 end) as is_valid
    from callsync.phone_numbers
    group by number

),

borne as (

    select from_number as number
    from reporting.calls
    where from_number is not null

    union

    select to_number as number
    from reporting.calls
    where to_number is not null

)

select
    md5(coalesce(borne.number, numbers.number)) as md5_of_number,
    numbers.row_count,
    numbers.kind,
    numbers.is_valid
from numbers
full outer join borne
    on numbers.number = borne.number
where
    numbers.number is null
    or numbers.row_count <> 1
    or numbers.kind is null
    or (numbers.e164 is not null) <> (numbers.is_valid = 1)
    or (numbers.e164 is not null and numbers.kind in ('withheld', 'short', 'sip', 'unknown'))
    -- With phone_privacy = hash a keyed hash stands for the number.
    or substr(numbers.e164, 1, 1) not in ('+', '#')
    or (substr(numbers.e164, 1, 1) = '#' and numbers.e164 <> numbers.number)
    or (
        substr(numbers.e164, 1, 1) = '+'
        and (
            length(numbers.e164) not between 8 and 16
            or translate(substr(numbers.e164, 2), '0123456789', '') <> ''
        )
    )
