"""Voximplant's records, as its Management API reference names the types.

Call sessions ("GetCallHistory": CallSessionInfoType, CallInfoType, RecordType, ResourceUsageType), account
("GetAccountInfo": AccountInfo), applications ("GetApplications": ApplicationInfo) and users ("GetUsers":
UserInfo). Times are `YYYY-MM-DD HH:mm:ss` in the zone the reply echoes; those of applications and users are
UTC. Costs arrive late, so an empty list of resources is no final word.
"""

from sources.shaping.fields import Child, Field, Kind, RecordType


def _integer(name: str) -> Field:
    return Field(name, Kind.INTEGER, "int")


def _seconds(name: str) -> Field:
    return Field(name, Kind.SECONDS, "int")


def _time(name: str) -> Field:
    return Field(name, Kind.LOCAL_TIME)


def _money(name: str) -> Field:
    return Field(name, Kind.DECIMAL, "float")


def _flag(name: str) -> Field:
    return Field(name, Kind.BOOLEAN, "bool")


FINISH_REASONS = (
    "Normal termination",
    "Insufficient funds",
    "Internal error (billing timeout)",
    "Terminated administratively",
    "JS session error",
    "Timeout",
)

CALL_SESSIONS = RecordType(
    table="call_sessions",
    key="call_session_history_id",
    times=("start_date",),
    # Log files are kept for a month, and then the address is cleared (Voximplant, CallSessionInfoType).
    fading=("log_file_url",),
    fields=(
        _integer("call_session_history_id"),
        _integer("account_id"),
        _integer("application_id"),
        _integer("user_id"),
        Field("application_name"),
        Field("rule_name"),
        Field("audio_quality"),
        _time("start_date"),
        _seconds("duration"),
        Field("initiator_address"),
        Field("media_server_address"),
        Field("log_file_url", is_unique=True),
        Field("finish_reason", words=FINISH_REASONS),
        Field("custom_data"),
    ),
    children=(
        Child(
            source="calls",
            suffix="calls",
            fields=(
                _integer("call_id"),
                _time("start_time"),
                _seconds("duration"),
                Field("local_number", is_phone_number=True),
                Field("remote_number", is_phone_number=True),
                Field("remote_number_type"),
                Field("diversion_number", holds="number"),
                _flag("incoming"),
                _flag("successful"),
                _integer("transaction_id"),
                Field("record_url", is_unique=True),
                Field("media_server_address"),
                _money("cost"),
                Field("custom_data"),
                Field("end_reason", Kind.JSON, "any"),
            ),
        ),
        Child(
            source="records",
            suffix="records",
            fields=(
                _integer("record_id"),
                Field("record_name", is_unique=True),
                _money("cost"),
                _time("start_time"),
                _seconds("duration"),
                Field("record_url", is_unique=True),
                _integer("transaction_id"),
                Field("file_size", Kind.INTEGER, "float"),
                Field("transcription_url"),
                Field("transcription_status"),
            ),
        ),
        Child(
            source="other_resource_usage",
            suffix="other_resource_usage",
            fields=(
                _integer("resource_usage_id"),
                Field("resource_type"),
                _money("cost"),
                Field("description"),
                _time("used_at"),
                _integer("transaction_id"),
                _integer("resource_quantity"),
                Field("unit"),
                _integer("ref_call_id"),
            ),
        ),
    ),
)

ACCOUNT_INFO = RecordType(
    table="account_info",
    # GetAccountInfo can return api_key and callback_salt: only what is listed here is ever kept.
    keeps_unknown=False,
    drops=frozenset({"api_key", "callback_salt"}),
    fields=(
        _integer("account_id"),
        Field("account_name"),
        _flag("active"),
        Field("currency"),
        Field("language_code"),
        Field("location"),
        _money("balance"),
        Field("api_address"),
    ),
)

APPLICATIONS = RecordType(
    table="applications",
    key="application_id",
    fields=(
        _integer("application_id"),
        Field("application_name"),
        _time("modified"),
        _flag("secure_record_storage"),
    ),
)

USERS = RecordType(
    table="users",
    key="user_id",
    fields=(
        _integer("user_id"),
        _integer("application_id"),
        Field("user_name"),
        Field("user_display_name"),
        _flag("user_active"),
        Field("acd_status"),
        _time("created"),
        _time("modified"),
    ),
)
