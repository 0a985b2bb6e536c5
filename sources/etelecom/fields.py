"""eTelecom's records: call logs ("eTelecom documents, ListCallLogs") and extensions ("GetExtensions").

Times are RFC 3339 with any offset. The year 1 and the id "0" mean none. The order of `call_targets` changes
from one reading to the next, so their position follows their content.
"""

from sources.shaping.fields import Child, Field, Kind, RecordType


def _id(name: str) -> Field:
    return Field(name, zero_is_none=True, holds="own")


def _time(name: str) -> Field:
    return Field(name, Kind.RFC3339)


CALL_LOGS = RecordType(
    table="call_logs",
    key="id",
    times=("started_at", "created_at", "ended_at"),
    fields=(
        _id("id"),
        Field("external_id", is_unique=True),
        Field("external_session_id", is_unique=True),
        _id("user_id"),
        _id("extension_id"),
        _id("contact_id"),
        Field("caller", is_phone_number=True),
        Field("callee", is_phone_number=True),
        Field("direction", words=("in", "out", "ext", "ext_in", "ext_out", "unknown")),
        Field("call_state", words=("answered", "not_answered", "unknown")),
        Field("call_status"),
        _time("started_at"),
        _time("ended_at"),
        Field("duration", Kind.SECONDS, "int"),
        Field("note"),
        _time("created_at"),
        _time("updated_at"),
    ),
    children=(
        Child(
            source="call_targets",
            suffix="call_targets",
            order="content",
            sort_first=("add_time", "target_number"),
            fields=(
                _time("add_time"),
                _time("ring_time"),
                _time("answered_time"),
                _time("ended_time"),
                Field("ring_duration", Kind.SECONDS, "int"),
                Field("fail_code", Kind.INTEGER, "int"),
                Field("end_reason"),
                Field("status"),
                Field("target_number", is_phone_number=True),
                Field("trunk_name"),
            ),
        ),
        Child(source="recording_urls", suffix="recording_urls", fields=(Field("value", is_unique=True),)),
    ),
)

EXTENSIONS = RecordType(
    table="extensions",
    key="id",
    drops=frozenset({"extension_password"}),
    fields=(
        _id("id"),
        Field("extension_number"),
        _id("user_id"),
        _id("account_id"),
        _id("hotline_id"),
        _id("tenant_id"),
        Field("tenant_domain"),
        Field("state"),
        _time("created_at"),
        _time("updated_at"),
        _time("expires_at"),
        _id("subscription_id"),
    ),
)
