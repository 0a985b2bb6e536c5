"""VBot's records: two forms of a call that fill the same tables, and two dimensions.

`LEGACY_CALLS` is a record of `historycall/getAll` ("VBot documents, Call History Management" v1, v2), times
as `MM/dd/yyyy HH:mm:ss` in Vietnam's zone. `CALLS` is a record of `/m-cdr/api/call/get-all` ("VBot Open API
v3, Call transaction"), times in epoch milliseconds. `HOTLINES` and `MEMBERS` are records of `hotline/getAll`
and `member/getAll`. The same postage stands on caller and callee of a legacy call: never add both.
"""

from typing import Final

from sources.shaping.fields import Child, Columns, Field, Kind, MadeKey, RecordType

CALL_COLUMNS: Final[Columns] = (
    ("group_id", Kind.TEXT),
    ("trans_id", Kind.TEXT),
    ("external_call_id", Kind.TEXT),
    ("hotline_number", Kind.TEXT),
    ("hotline", Kind.TEXT),
    ("date_create", Kind.LOCAL_TIME),
    ("create_at", Kind.EPOCH_MS),
    ("call_at", Kind.EPOCH_MS),
    ("type_call", Kind.TEXT),
    ("time_call", Kind.SECONDS),
    ("duration_call", Kind.SECONDS),
    ("duration", Kind.SECONDS),
    ("disposition", Kind.TEXT),
    ("postage", Kind.DECIMAL),
    ("auto_dial_service_charge", Kind.DECIMAL),
    ("end_call", Kind.TEXT),
    ("is_record", Kind.BOOLEAN),
    ("customer_code", Kind.TEXT),
    ("payment_channel", Kind.TEXT),
    ("group_member_no", Kind.TEXT),
    ("source", Kind.TEXT),
    ("event_data", Kind.TEXT),
    ("currency", Kind.TEXT),
)

PARTY_COLUMNS: Final[Columns] = (
    ("phone", Kind.TEXT),
    ("number", Kind.TEXT),
    ("vbot_id", Kind.TEXT),
    ("name", Kind.TEXT),
    ("member_no", Kind.TEXT),
    ("date_create", Kind.LOCAL_TIME),
    ("disposition", Kind.TEXT),
    ("time_call", Kind.SECONDS),
    ("duration_call", Kind.SECONDS),
    ("postage", Kind.DECIMAL),
    ("source", Kind.TEXT),
    ("channel", Kind.TEXT),
    ("type", Kind.TEXT),
    ("telco_code", Kind.TEXT),
)


CALL_TYPES: Final = ("CALLIN", "INCALL", "CALLOUT", "OUTCALL", "MISSCALL", "1", "2", "3")
DISPOSITIONS: Final = (
    *("ANSWER", "ANSWERED", "NOANSWER", "MISSCALL", "MORE", "SOMEONEANSWERED", "TIME_OUT", "ABSENT"),
    *("BUSY", "INCALL", "CANCEL", "DECLINE", "DONTCALL", "DO_NOT_CALL", "DO_NOT_DISTURB", "BOTIVR"),
    *("BAD_GATEWAY", "BAD_REQUEST", "CALL_INTERVAL_NOT_ALLOWED", "CHANUNAVAIL", "CONGESTION", "GONE"),
    *("HOTLINE_NOT_SUPPORT_TELCO", "INVALIDARGS", "INVALID_PARAMETER", "LOGOUT", "MEMBER_NOT_ACTIVATED"),
    *("MEMBER_NOT_IN_PROJECT", "NORMAL_CLEARING", "NOT_FOUND", "OUT_OF_MONEY", "PACKAGE_EXPIRED"),
    *("PROJECT_EXPIRED", "SERVER_ERROR", "TELCO_NOT_FOUND", "TORTURE", "UNAUTHORIZED"),
)


def _local_time(name: str) -> Field:
    return Field(name, Kind.LOCAL_TIME, time_format="MM/dd/yyyy HH:mm:ss")


def _money(name: str) -> Field:
    return Field(name, Kind.DECIMAL, "float")


def _legacy_party(side: str) -> Child:
    return Child(
        source=side,
        suffix=side,
        columns=PARTY_COLUMNS,
        fields=(
            Field("phone", is_phone_number=True),
            Field("vbot_id", holds="own"),
            Field("member_no", holds="own"),
            _local_time("date_create"),
            Field("disposition"),
            Field("time_call", Kind.SECONDS),
            Field("duration_call", Kind.SECONDS, "int"),
            _money("postage"),
            Field("source"),
        ),
    )


def _party(side: str) -> Child:
    return Child(
        source=f"{side}_info",
        suffix=side,
        single=True,
        columns=PARTY_COLUMNS,
        fields=(
            Field("number", is_phone_number=True),
            Field("name"),
            Field("member_no", holds="own"),
            Field("channel"),
            Field("type"),
            Field("telco_code"),
        ),
    )


RECORD_FILE: Final = Child(
    source="record_file", suffix="record_file", fields=(Field("value", is_unique=True),)
)

LEGACY_CALLS = RecordType(
    table="calls",
    key="group_id",
    key_fallbacks=("external_call_id",),
    made_key=MadeKey(
        time="date_create",
        columns=("hotline_number", "type_call"),
        parties=(("caller", "phone"), ("callee", "phone")),
    ),
    times=("date_create",),
    constants=("currency",),
    columns=CALL_COLUMNS,
    fields=(
        Field("group_id"),
        Field("external_call_id", is_unique=True),
        Field("hotline_number", holds="own"),
        _local_time("date_create"),
        Field("type_call", words=CALL_TYPES),
        Field("time_call", Kind.SECONDS),
        Field("duration_call", Kind.SECONDS),
        Field("disposition", words=DISPOSITIONS),
        _money("postage"),
        Field("source"),
        Field("event_data"),
    ),
    children=(_legacy_party("caller"), _legacy_party("callee"), RECORD_FILE),
)

CALLS = RecordType(
    table="calls",
    key="group_id",
    key_fallbacks=("external_call_id",),
    made_key=MadeKey(
        time="create_at",
        columns=("hotline", "type_call"),
        parties=(("caller", "number"), ("callee", "number")),
    ),
    times=("create_at", "call_at"),
    constants=("currency",),
    columns=CALL_COLUMNS,
    fields=(
        Field("group_id"),
        Field("trans_id", holds="own", is_unique=True),
        Field("external_call_id", is_unique=True),
        Field("hotline", holds="own"),
        Field("create_at", Kind.EPOCH_MS, "int"),
        Field("call_at", Kind.EPOCH_MS, "int"),
        Field("type_call", Kind.TEXT, "int", words=CALL_TYPES),
        Field("time_call", Kind.SECONDS, "int"),
        Field("duration", Kind.SECONDS, "int"),
        Field("disposition", words=DISPOSITIONS),
        _money("postage"),
        _money("auto_dial_service_charge"),
        Field("end_call"),
        Field("is_record", Kind.BOOLEAN, "bool"),
        Field("customer_code"),
        Field("payment_channel"),
        Field("group_member_no", holds="own"),
    ),
    children=(_party("caller"), _party("callee"), RECORD_FILE),
)

HOTLINES = RecordType(
    table="hotlines",
    key="hotline_number",
    fields=(
        Field("hotline_number", holds="own"),
        Field("hotline_name", holds="own"),
        Field("hotline_code", holds="own"),
        Field("hotline_type", holds="own"),
    ),
)

MEMBERS = RecordType(
    table="members",
    key="member_no",
    fields=(
        Field("member_no", holds="own"),
        Field("member_name"),
        Field("member_type"),
        Field("member_ext_number"),
        Field("member_status"),
        _money("member_money"),
        Field("member_color"),
        Field("expiration_date"),
    ),
)
