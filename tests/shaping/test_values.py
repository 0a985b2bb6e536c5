"""What one value becomes: each kind of column, each wire form, each sentinel."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sources.shaping import shape
from sources.shaping.columns import NOT_CLEAN, convert, read_each
from sources.shaping.fields import Field, Kind, RecordType

ID = Field("id")
UNREADABLE = object()


def read(field: Field, wire: str, zone: str = "Etc/GMT") -> Any:
    """The column's value of one field sent as `wire`, or UNREADABLE, which must then be in `extra`."""
    record_type = RecordType(table="things", key="id", fields=(ID, field))
    payload = f'{{"id":"a","{field.name}":{wire}}}'.encode()
    shaped = shape(record_type, [payload], account="main", zone=zone)
    assert not shaped.rejected
    (row,) = shaped.tables["things"].to_pylist()
    if shaped.warnings:
        assert shaped.warnings == 1
        assert row[field.name] is None
        assert list(json.loads(row["extra"])) == [field.name]
        return UNREADABLE
    assert row["extra"] is None
    return row[field.name]


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ('"an"', "an"),
        ('"Trần Thị Bé"', "Trần Thị Bé"),
        (r'"\u0110\ud83d\ude00"', "Đ😀"),
        ('""', None),
        ("null", None),
        ("1320000000000000001", "1320000000000000001"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1.50", "1.50"),
        ("true", "true"),
        ('"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z"),
        ('"0"', "0"),
        ('{"a":1}', UNREADABLE),
        ("[1]", UNREADABLE),
    ],
)
def test_text(wire: str, value: Any) -> None:
    assert read(Field("x"), wire) == value


@pytest.mark.parametrize("wire", ['"0"', "0", '""', "null"])
def test_zero_means_none_for_ids(wire: str) -> None:
    assert read(Field("x", zero_is_none=True), wire) is None
    assert read(Field("x", Kind.INTEGER, "int", zero_is_none=True), wire) is None


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("120", 120),
        ('"120"', 120),
        ('"-3"', -3),
        ("120.0", 120),
        ("1.2e2", 120),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ('""', None),
        ("9223372036854775808", UNREADABLE),
        ("120.5", UNREADABLE),
        ('"12s"', UNREADABLE),
        ('"1_000"', UNREADABLE),
        ('"١٢"', UNREADABLE),
        ("true", UNREADABLE),
        ("NaN", UNREADABLE),
        ("1e999", UNREADABLE),
    ],
)
def test_integer(wire: str, value: Any) -> None:
    assert read(Field("x", Kind.INTEGER, "int"), wire) == value
    assert read(Field("x", Kind.INTEGER, "float"), wire) == value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("8", 8),
        ('"8"', 8),
        ('"00:00:08"', 8),
        ('"01:02:03"', 3723),
        ('"75:10"', 4510),
        ('"120:00:00"', 432_000),
        ("14.0", 14),
        ("2147483647", 2**31 - 1),
        ("-2147483647", 1 - 2**31),
        ('""', None),
        ("2147483648", UNREADABLE),
        ("-2147483648", UNREADABLE),
        ('"2147483648"', UNREADABLE),
        ('"596523:14:08"', UNREADABLE),
        ('"sample string 3"', UNREADABLE),
        ('"00:00:61"', UNREADABLE),
        ('"00:61:00"', UNREADABLE),
        ("14.5", UNREADABLE),
        ("[]", UNREADABLE),
    ],
)
def test_seconds(wire: str, value: Any) -> None:
    assert read(Field("x", Kind.SECONDS), wire) == value
    assert read(Field("x", Kind.SECONDS, "int"), wire) == value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("6.1", "6.1"),
        ('"6.1"', "6.1"),
        ("0.1234567885", "0.123456788"),
        ("0.1234567895", "0.123456790"),
        ("0.12345678850000000000000001", "0.123456789"),
        ("1e2", "100"),
        ("1E-20", "0"),
        ("999999999.999999999", "999999999.999999999"),
        ("-0.0", "0"),
        ("162", "162"),
        ('""', None),
        ("1000000000", UNREADABLE),
        ("999999999.9999999995", UNREADABLE),
        ('"NaN"', UNREADABLE),
        ("NaN", UNREADABLE),
        ("Infinity", UNREADABLE),
        ('"Infinity"', UNREADABLE),
        ('"1_0"', UNREADABLE),
        ('"1e99999999999999999999"', UNREADABLE),
        ("1e99999999999999999999", UNREADABLE),
        ("false", UNREADABLE),
    ],
)
def test_money_is_exact_and_rounds_half_even(wire: str, value: Any) -> None:
    expected = Decimal(value) if isinstance(value, str) else value
    assert read(Field("x", Kind.DECIMAL, "float"), wire) == expected


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("true", True),
        ("false", False),
        ("1", True),
        ("0", False),
        ('"true"', True),
        ('"False"', False),
        ('""', None),
        ("2", UNREADABLE),
        ("1.0", UNREADABLE),
        ('"yes"', UNREADABLE),
    ],
)
def test_boolean(wire: str, value: Any) -> None:
    assert read(Field("x", Kind.BOOLEAN, "bool"), wire) is value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ('"2019-08-24T14:15:22Z"', datetime(2019, 8, 24, 14, 15, 22, tzinfo=UTC)),
        ('"2019-08-24T14:15:22.123456+07:00"', datetime(2019, 8, 24, 7, 15, 22, 123456, tzinfo=UTC)),
        ('"2019-08-24T14:15:22.123456789Z"', datetime(2019, 8, 24, 14, 15, 22, 123456, tzinfo=UTC)),
        ('"2019-08-24T14:15:22.1-07:30"', datetime(2019, 8, 24, 21, 45, 22, 100000, tzinfo=UTC)),
        ('"0001-01-01T00:00:00Z"', None),
        ('"0001-01-01T00:00:00+07:00"', None),
        ('""', None),
        ('"2019-08-24T14:15:22"', UNREADABLE),
        ('"2019-02-30T14:15:22Z"', UNREADABLE),
        ('"12019-08-24T14:15:22Z"', UNREADABLE),
        ('"9999-12-31T23:59:59-07:00"', UNREADABLE),
        ("1775451251000", UNREADABLE),
        ("true", UNREADABLE),
    ],
)
def test_rfc3339(wire: str, value: Any) -> None:
    assert read(Field("x", Kind.RFC3339), wire) == value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("1775451251000", datetime(2026, 4, 6, 4, 54, 11, tzinfo=UTC)),
        ('"1775451251000"', datetime(2026, 4, 6, 4, 54, 11, tzinfo=UTC)),
        ("1775451251001", datetime(2026, 4, 6, 4, 54, 11, 1000, tzinfo=UTC)),
        ("0", None),
        ("-62135596800000", None),
        ("9223372036854775807", UNREADABLE),
        ("400000000000000", UNREADABLE),
        ('"2026-04-06"', UNREADABLE),
    ],
)
def test_epoch_milliseconds(wire: str, value: Any) -> None:
    assert read(Field("x", Kind.EPOCH_MS, "int"), wire) == value


MONTH_FIRST = Field("x", Kind.LOCAL_TIME, time_format="MM/dd/yyyy HH:mm:ss")


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ('"04/06/2026 16:18:25"', datetime(2026, 4, 6, 9, 18, 25, tzinfo=UTC)),
        ('"01/01/0001 00:00:00"', None),
        ('""', None),
        ('"27/02/2026 14:33:47"', UNREADABLE),
        ('"02/30/2026 14:33:47"', UNREADABLE),
        ('"4/6/2026 16:18:25"', UNREADABLE),
        ('"04-06-2026 16:18:25"', UNREADABLE),
        ('"2026-04-06 16:18:25"', UNREADABLE),
        ('"04/06/2026 16:18"', UNREADABLE),
    ],
)
def test_month_first_local_time_is_never_guessed(wire: str, value: Any) -> None:
    assert read(MONTH_FIRST, wire, "Asia/Ho_Chi_Minh") == value


@pytest.mark.parametrize(
    ("wall", "hour", "minute"),
    [("2026-10-25 02:30:00", 0, 30), ("2026-03-29 02:30:00", 1, 0), ("2026-07-01 02:30:00", 0, 30)],
    ids=["twice on the clock: the earlier", "skipped by the clock: just after", "summer"],
)
def test_local_time_across_clock_changes(wall: str, hour: int, minute: int) -> None:
    field = Field("x", Kind.LOCAL_TIME)
    expected = datetime.fromisoformat(wall).replace(hour=hour, minute=minute, tzinfo=UTC)
    assert read(field, f'"{wall}"', "Europe/Berlin") == expected
    column, unreadable = read_each(field, [wall, "?"], "Europe/Berlin")
    assert (column.to_pylist(), unreadable) == ([expected, None], [1])


def test_zone_with_a_posix_sign() -> None:
    assert read(Field("x", Kind.LOCAL_TIME), '"2026-01-01 08:00:00"', "Etc/GMT-8") == datetime(
        2026, 1, 1, tzinfo=UTC
    )


def test_unknown_zone_is_an_error() -> None:
    with pytest.raises(KeyError, match="Asia/Hanoi"):
        read(ID, '"x"', "Asia/Hanoi")


@pytest.mark.parametrize(
    ("wire", "kept"),
    [
        ('{"details":"OK", "code":200}', '{"code":200,"details":"OK"}'),
        ('{"at":"2026-01-01T00:00:00Z"}', '{"at":"2026-01-01T00:00:00Z"}'),
        ('{"big":123456789012345678901,"d":1.10}', '{"big":123456789012345678901,"d":1.10}'),
        ('{"code":1,"details":null}', '{"code":1,"details":null}'),
        ('{"code":1}', '{"code":1}'),
        ('{"a":{"b":"}"}}', '{"a":{"b":"}"}}'),
        (r'{"a":"}\""}', r'{"a":"}\""}'),
        ("{}", "{}"),
        ('"text"', '"text"'),
        ('"{}"', '"{}"'),
        ("[1,null]", "[1,null]"),
        ("0", "0"),
        ('""', None),
        ("null", None),
    ],
)
def test_json_is_kept_as_it_was_sent(wire: str, kept: str | None) -> None:
    assert read(Field("x", Kind.JSON, "any"), wire) == kept


TIMES = [
    "2019-08-24T14:15:22Z", "2019-08-24 14:15:22Z", "2019-08-24T14Z", "2019-08-24T14:15Z", "2019-08-24Z",
    "2019-08-24", "2019-08-24T14:15:22.Z", "2019-08-24T14:15:22+07", "2019-08-24T14:15:22+0700",
    "2019-08-24T14:15:22+24:00", "2019-08-24T14:15:22+23:60", "2019-08-24T24:00:00Z", "2019-08-24t14:15:22z",
    "0000-02-29T00:00:00Z", "0000-01-01", "0001-12-31T23:59:59-07:00", "0002-01-01T00:00:00+07:00",
    "9999-12-29T23:59:59.999999Z", "9999-12-30T00:00:00.000001Z", "2019-08-24T14:15:60Z",
    " 2019-08-24T14:15:22Z",
]  # fmt: skip


@pytest.mark.parametrize("text", TIMES)
@pytest.mark.parametrize("kind", [Kind.RFC3339, Kind.LOCAL_TIME])
def test_arrow_reads_no_time_that_the_reference_does_not(kind: Kind, text: str) -> None:
    field = Field("x", kind)
    try:
        whole = convert(field, pa.array([text]), "Asia/Ho_Chi_Minh")
    except NOT_CLEAN:
        return
    assert read_each(field, [text], "Asia/Ho_Chi_Minh") == (whole, [])
