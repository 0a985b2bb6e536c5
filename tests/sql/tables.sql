-- The warehouse tables the relations of sql/ read, as the pipeline makes them.
create schema vbot;
create schema etelecom;
create schema voximplant;
create schema callsync;

create table vbot.calls (
    account varchar,
    group_id varchar,
    trans_id varchar,
    external_call_id varchar,
    hotline_number varchar,
    hotline varchar,
    date_create timestamp with time zone,
    create_at timestamp with time zone,
    call_at timestamp with time zone,
    type_call varchar,
    time_call bigint,
    duration_call bigint,
    duration bigint,
    disposition varchar,
    postage decimal(18, 9),
    auto_dial_service_charge decimal(18, 9),
    end_call varchar,
    is_record boolean,
    customer_code varchar,
    payment_channel varchar,
    group_member_no varchar,
    source varchar,
    event_data varchar,
    currency varchar,
    extra json
);

create table vbot.calls__caller (
    account varchar,
    group_id varchar,
    position bigint,
    phone varchar,
    number varchar,
    vbot_id varchar,
    name varchar,
    member_no varchar,
    date_create timestamp with time zone,
    disposition varchar,
    time_call bigint,
    duration_call bigint,
    postage decimal(18, 9),
    source varchar,
    channel varchar,
    type varchar,
    telco_code varchar,
    extra json
);

create table vbot.calls__callee (
    account varchar,
    group_id varchar,
    position bigint,
    phone varchar,
    number varchar,
    vbot_id varchar,
    name varchar,
    member_no varchar,
    date_create timestamp with time zone,
    disposition varchar,
    time_call bigint,
    duration_call bigint,
    postage decimal(18, 9),
    source varchar,
    channel varchar,
    type varchar,
    telco_code varchar,
    extra json
);

create table vbot.calls__record_file (
    account varchar,
    group_id varchar,
    position bigint,
    value varchar
);

create table vbot.hotlines (
    account varchar,
    hotline_number varchar,
    hotline_name varchar,
    hotline_code varchar,
    hotline_type varchar,
    extra json
);

create table vbot.members (
    account varchar,
    member_no varchar,
    member_name varchar,
    member_type varchar,
    member_ext_number varchar,
    member_status varchar,
    member_money decimal(18, 9),
    member_color varchar,
    expiration_date varchar,
    extra json
);

create table etelecom.call_logs (
    account varchar,
    id varchar,
    external_id varchar,
    external_session_id varchar,
    user_id varchar,
    extension_id varchar,
    contact_id varchar,
    caller varchar,
    callee varchar,
    direction varchar,
    call_state varchar,
    call_status varchar,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    duration bigint,
    note varchar,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    extra json
);

create table etelecom.call_logs__call_targets (
    account varchar,
    id varchar,
    position bigint,
    add_time timestamp with time zone,
    ring_time timestamp with time zone,
    answered_time timestamp with time zone,
    ended_time timestamp with time zone,
    ring_duration bigint,
    fail_code bigint,
    end_reason varchar,
    status varchar,
    target_number varchar,
    trunk_name varchar,
    extra json
);

create table etelecom.call_logs__recording_urls (
    account varchar,
    id varchar,
    position bigint,
    value varchar
);

create table etelecom.extensions (
    account varchar,
    id varchar,
    extension_number varchar,
    user_id varchar,
    account_id varchar,
    hotline_id varchar,
    tenant_id varchar,
    tenant_domain varchar,
    state varchar,
    created_at timestamp with time zone,
    updated_at timestamp with time zone,
    expires_at timestamp with time zone,
    subscription_id varchar,
    extra json
);

create table voximplant.call_sessions (
    account varchar,
    call_session_history_id bigint,
    account_id bigint,
    application_id bigint,
    user_id bigint,
    application_name varchar,
    rule_name varchar,
    audio_quality varchar,
    start_date timestamp with time zone,
    duration bigint,
    initiator_address varchar,
    media_server_address varchar,
    log_file_url varchar,
    finish_reason varchar,
    custom_data varchar,
    extra json
);

create table voximplant.call_sessions__calls (
    account varchar,
    call_session_history_id bigint,
    position bigint,
    call_id bigint,
    start_time timestamp with time zone,
    duration bigint,
    local_number varchar,
    remote_number varchar,
    remote_number_type varchar,
    diversion_number varchar,
    incoming boolean,
    successful boolean,
    transaction_id bigint,
    record_url varchar,
    media_server_address varchar,
    cost decimal(18, 9),
    custom_data varchar,
    end_reason json,
    extra json
);

create table voximplant.call_sessions__records (
    account varchar,
    call_session_history_id bigint,
    position bigint,
    record_id bigint,
    record_name varchar,
    cost decimal(18, 9),
    start_time timestamp with time zone,
    duration bigint,
    record_url varchar,
    transaction_id bigint,
    file_size bigint,
    transcription_url varchar,
    transcription_status varchar,
    extra json
);

create table voximplant.call_sessions__other_resource_usage (
    account varchar,
    call_session_history_id bigint,
    position bigint,
    resource_usage_id bigint,
    resource_type varchar,
    cost decimal(18, 9),
    description varchar,
    used_at timestamp with time zone,
    transaction_id bigint,
    resource_quantity bigint,
    unit varchar,
    ref_call_id bigint,
    extra json
);

create table voximplant.account_info (
    account varchar,
    account_id bigint,
    account_name varchar,
    active boolean,
    currency varchar,
    language_code varchar,
    location varchar,
    balance decimal(18, 9),
    api_address varchar
);

create table voximplant.applications (
    account varchar,
    application_id bigint,
    application_name varchar,
    modified timestamp with time zone,
    secure_record_storage boolean,
    extra json
);

create table voximplant.users (
    account varchar,
    user_id bigint,
    application_id bigint,
    user_name varchar,
    user_display_name varchar,
    user_active boolean,
    acd_status varchar,
    created timestamp with time zone,
    modified timestamp with time zone,
    extra json
);

create table callsync.run_accounts (
    run_id varchar,
    account varchar,
    status varchar,
    windows bigint,
    calls bigint,
    rejected bigint,
    warnings bigint,
    error varchar,
    finished_at timestamp with time zone
);

create table callsync.accounts (
    provider varchar,
    account varchar,
    name varchar,
    start_date timestamp with time zone,
    cursor timestamp with time zone,
    finished json,
    updated_at timestamp with time zone
);

create table callsync.phone_numbers (
    number varchar,
    e164 varchar,
    region varchar,
    kind varchar,
    is_valid boolean
);

create table callsync.configured_accounts (name varchar);

create table callsync.settings (
    reporting_timezone varchar,
    default_region varchar,
    phone_privacy varchar,
    freshness_hours double,
    service_level_seconds double,
    short_abandon_seconds double
);
