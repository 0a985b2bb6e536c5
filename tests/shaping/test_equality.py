"""The fast way and the exact way give the same tables, whatever a provider sends and however it is cut."""

import json
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.etelecom.fields import CALL_LOGS, EXTENSIONS
from sources.shaping import concat, digest, shape
from sources.shaping.columns import NOT_CLEAN, convert, read_each
from sources.shaping.exact import shape_exact
from sources.shaping.fast import shape_fast
from sources.shaping.fields import Child, Field, Kind, RecordType
from sources.vbot.fields import CALLS, LEGACY_CALLS
from sources.voximplant.fields import ACCOUNT_INFO, CALL_SESSIONS

ZONE = "Europe/Berlin"
RECORD_TYPES = [CALL_LOGS, EXTENSIONS, LEGACY_CALLS, CALLS, CALL_SESSIONS, ACCOUNT_INFO]

LOCAL = st.datetimes().map(lambda at: at.replace(microsecond=0, year=max(at.year, 1)))
TEXTS = st.one_of(
    st.sampled_from(["", "0", "sample string 3", '"end_reason": {"a"}', "}\\"]), st.text(max_size=6)
)
CLEAN: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: TEXTS,
    Kind.INTEGER: st.integers(0, 5) | st.integers(-(2**63), 2**63 - 1),
    Kind.SECONDS: st.integers(0, 5000),
    Kind.DECIMAL: st.decimals(-(10**9) + 1, 10**9 - 1, places=4).map(float),
    Kind.BOOLEAN: st.booleans(),
    Kind.RFC3339: st.datetimes().flatmap(
        lambda at: st.sampled_from(["Z", "+07:00", "-03:30"]).map(lambda zone: at.isoformat() + zone)
    ),
    Kind.LOCAL_TIME: LOCAL.map(lambda at: at.isoformat(sep=" ")),
    Kind.EPOCH_MS: st.integers(0, 2**45),
    Kind.JSON: st.dictionaries(
        st.sampled_from(["code", "details", "b"]), st.none() | st.integers() | TEXTS, max_size=3
    ),
}
CLOCKS = st.tuples(st.integers(0, 30), st.integers(0, 70), st.integers(0, 70)).map(
    lambda clock: ":".join(f"{part:02}" for part in clock)
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            10**30,
            2**63,
            2**31,
            -(2**63),
            -0.0,
            1e300,
            "120",
            "1.5",
            "NaN",
            "true",
            True,
            [],
            {},
            [None],
            "2026-13-01",
        ]
    ),
    st.floats(allow_nan=True),
    TEXTS,
    CLOCKS,
    st.lists(
        st.none() | st.integers() | TEXTS | st.dictionaries(TEXTS, st.integers(), max_size=2), max_size=2
    ),
    st.dictionaries(TEXTS, st.none() | st.floats(allow_nan=False) | TEXTS, max_size=2),
)


def value_of(field: Field, odd: bool) -> st.SearchStrategy[Any]:
    clean = CLEAN[field.kind]
    if field.time_format == "MM/dd/yyyy HH:mm:ss":
        clean = LOCAL.map(lambda at: f"{at.month:02}/{at.day:02}/{at.year:04} {at:%H:%M:%S}")
    elif field.kind is Kind.SECONDS and field.wire == "str":
        clean = CLOCKS | clean.map(str)
    elif field.kind is Kind.TEXT and field.wire == "int":
        clean = CLEAN[Kind.INTEGER]
    return st.one_of(st.none(), clean, clean, clean, ODD) if odd else clean


def object_of(fields: tuple[Field, ...], required: tuple[str, ...], odd: bool) -> st.SearchStrategy[Any]:
    every = {field.wire_name: value_of(field, odd) for field in fields}
    sure = {} if odd else {name: every.pop(name) for name in required}
    known = st.fixed_dictionaries(sure, optional=every)
    if not odd:
        return known
    unknown = st.dictionaries(st.sampled_from(["new", "end_reason", "at", "extra"]), ODD, max_size=1)
    return st.tuples(unknown, known).map(lambda both: both[0] | both[1])


def child_of(child: Child, odd: bool) -> st.SearchStrategy[Any]:
    item = value_of(child.fields[0], odd) if child.is_scalar else object_of(child.fields, (), odd)
    sent = st.none() | (item if child.single else st.lists(item, max_size=3))
    return sent | item | st.lists(item, max_size=2) | ODD if odd else sent


def record_of(record_type: RecordType, odd: bool) -> st.SearchStrategy[Any]:
    required = tuple(name for name in (record_type.key, *record_type.times[:1]) if name)
    root = object_of(record_type.fields, required, odd)
    lists = st.fixed_dictionaries(
        {}, optional={child.source: child_of(child, odd) for child in record_type.children}
    )
    return st.tuples(root, lists).map(lambda both: both[0] | both[1])


def encode(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass")


def whole(table: pa.Table) -> pa.Table:
    return table.combine_chunks()


def batches(odd: bool) -> st.SearchStrategy[tuple[RecordType, list[Any]]]:
    return st.sampled_from(RECORD_TYPES).flatmap(
        lambda record_type: st.tuples(
            st.just(record_type), st.lists(record_of(record_type, odd), min_size=1, max_size=5)
        )
    )


FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(batches(odd=False) | batches(odd=True))
def test_both_ways_give_the_same_tables(batch: tuple[RecordType, list[Any]]) -> None:
    record_type, records = batch
    lines = [encode(record) for record in records]
    fast = shape_fast(record_type, lines, account="main", zone=ZONE, constants={"currency": "VND"})
    exact = shape_exact(record_type, lines, account="main", zone=ZONE, constants={"currency": "VND"})
    assert {name: table.schema for name, table in exact.tables.items()} == record_type.schemas()
    if fast is not None:
        assert (exact.rejected, exact.warnings) == ((), 0)
        assert {n: whole(t) for n, t in fast.items()} == {n: whole(t) for n, t in exact.tables.items()}


@FEW
@given(batches(odd=True) | batches(odd=False))
def test_a_record_becomes_the_same_rows_alone_and_in_a_batch(batch: tuple[RecordType, list[Any]]) -> None:
    record_type, records = batch
    lines = [encode(record) for record in records]
    together = shape(record_type, lines, account="main", zone=ZONE)
    alone = concat(record_type, [shape(record_type, [line], account="main", zone=ZONE) for line in lines])
    assert digest(together) == digest(alone)
    assert together.rejected == alone.rejected
    assert together.warnings == alone.warnings


@FEW
@given(batches(odd=True))
def test_what_is_kept_is_json_that_the_warehouse_accepts(batch: tuple[RecordType, list[Any]]) -> None:
    record_type, records = batch
    shaped = shape(record_type, [encode(record) for record in records], account="main", zone=ZONE)
    kept = [rejected.payload.decode() for rejected in shaped.rejected]
    for table, columns in record_type.json_columns().items():
        for column in columns:
            kept += shaped.tables[table].column(column).drop_null().to_pylist()
    for text in kept:
        duckdb.execute("select ?::json", [text]).fetchall()


@FEW
@given(
    kind=st.sampled_from([Kind.RFC3339, Kind.LOCAL_TIME, Kind.SECONDS, Kind.TEXT]),
    text=st.from_regex(
        r"\d{1,4}[-/:]\d\d[-/:]\d{2,4}[ T]\d\d:?\d?\d?:?\d?\d?(\.\d{0,9})?(Z|[+-]\d\d:?(\d\d)?)?"
    )
    | st.text("0123456789-+:/.TZtz ", max_size=28)
    | TEXTS,
    month_first=st.booleans(),
)
def test_a_whole_column_is_read_as_its_values_are(kind: Kind, text: str, month_first: bool) -> None:
    field = Field("x", kind, time_format="MM/dd/yyyy HH:mm:ss" if month_first else "yyyy-MM-dd HH:mm:ss")
    try:
        column = convert(field, pa.array([text], pa.string()), ZONE)
    except NOT_CLEAN:
        return
    assert read_each(field, [text], ZONE) == (column, [])


@FEW
@given(st.decimals(allow_nan=False, allow_infinity=False), st.sampled_from([Kind.DECIMAL, Kind.INTEGER]))
def test_numbers_lose_no_digit(number: Decimal, kind: Kind) -> None:
    record_type = RecordType(table="things", key="id", fields=(Field("id"), Field("x", kind, "float")))
    lines = [f'{{"id":"a","x":{number}}}'.encode()]
    fast = shape_fast(record_type, lines, account="main", zone="UTC", constants={})
    exact = shape_exact(record_type, lines, account="main", zone="UTC", constants={})
    assert fast is None or whole(fast["things"]) == whole(exact.tables["things"])
    extra = exact.tables["things"].column("extra")[0].as_py()
    if extra is not None:
        assert json.loads(extra, parse_float=Decimal, parse_int=Decimal)["x"] == number


@pytest.mark.parametrize("record_type", RECORD_TYPES, ids=range(len(RECORD_TYPES)))
def test_clean_batches_take_the_fast_way(record_type: RecordType) -> None:
    fields = {field.wire_name: _usual(field) for field in record_type.fields}
    children = {
        child.source: {field.wire_name: _usual(field) for field in child.fields}
        for child in record_type.children
    }
    for child in record_type.children:
        item: Any = children[child.source]
        fields[child.source] = item if child.single else [item["value"] if child.is_scalar else item]
    lines = [encode(fields)]
    assert shape_fast(record_type, lines, account="main", zone=ZONE, constants={}) is not None


def _usual(field: Field) -> Any:
    match field.kind:
        case Kind.LOCAL_TIME:
            return "04/06/2026 16:18:25" if field.time_format.startswith("MM") else "2026-04-06 16:18:25"
        case Kind.RFC3339:
            return "2026-04-06T16:18:25Z"
        case Kind.JSON:
            return {"code": 200, "details": "OK"}
    return {"str": "120", "int": 120, "float": 120, "bool": True}[field.wire]
