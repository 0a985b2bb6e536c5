from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from simulator import Simulator
from sources.errors import AccessDenied, ConfigError
from sources.voximplant.token import read_credentials
from tests.sources.accounts import (
    UNTIL,
    WHOLE,
    account_of,
    answering,
    connect,
    records,
    requests_of,
    simulated,
)
from tests.sources.voximplant import owner, part


def token_of(request: httpx.Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


def test_the_token_is_signed_as_documented_and_used_again(simulator: Simulator) -> None:
    seen: list[httpx.Request] = []
    connection = connect(owner(simulator), transport=answering(part(0, 0, 0), seen=seen))
    list(connection.pages(WHOLE))
    list(connection.pages(WHOLE))
    credentials = simulator.credentials("voximplant")["credentials"]
    public_key: Any = load_pem_private_key(credentials["private_key"].encode(), None).public_key()
    token = token_of(seen[0])
    claims = jwt.decode(token, public_key, algorithms=["RS256"])
    assert jwt.get_unverified_header(token) == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": credentials["key_id"],
    }
    assert claims["iss"] == str(credentials["account_id"])
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert claims["iat"] <= datetime.now(UTC).timestamp() <= claims["exp"]
    assert token_of(seen[1]) == token


def test_a_token_is_renewed_before_it_ends(simulator: Simulator) -> None:
    seen: list[httpx.Request] = []
    connection = connect(owner(simulator), transport=answering(part(0, 0, 0), seen=seen))
    with time_machine.travel(UNTIL, tick=False) as traveller:
        for minutes in (0, 20, 40):
            traveller.move_to(UNTIL + timedelta(minutes=minutes))
            list(connection.pages(WHOLE))
            claims = jwt.decode(token_of(seen[-1]), options={"verify_signature": False})
            assert claims["exp"] > (UNTIL + timedelta(minutes=minutes)).timestamp() + 60
    assert len({token_of(request) for request in seen}) == 2


def test_a_refused_token_is_replaced_by_another_even_within_a_second(simulator: Simulator) -> None:
    connection = connect(simulated(simulator, "voximplant"))
    with time_machine.travel(datetime.now(UTC), tick=False):
        list(connection.pages(WHOLE))
        simulator.expire_tokens("voximplant")
        assert len(list(records(connection.pages(WHOLE)))) == 600
    assert simulator.requests.tokens_minted["voximplant"] == 2
    assert len(requests_of(simulator, "voximplant")) == 3
    connection.close()


def test_a_key_that_is_refused_is_tried_twice_more_and_never_shown(simulator: Simulator) -> None:
    credentials = simulator.credentials("voximplant")["credentials"]
    stranger = credentials | {"key_id": "unknown"}
    base_url = simulator.credentials("voximplant")["base_url"]
    connection = connect(account_of("voximplant", base_url=base_url, credentials=stranger))
    with pytest.raises(AccessDenied, match="Authorization failed") as raised:
        list(connection.pages(WHOLE))
    assert credentials["private_key"][100:130] not in str(raised.value)
    assert len(requests_of(simulator, "voximplant")) == 3
    connection.close()


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({}, "lacks account_id, key_id, private_key"),
        ({"account_id": 1, "key_id": "k", "private_key": "-----BEGIN SECRET"}, "no RSA key"),
        ("{", "is not JSON"),
        ("missing.json", "cannot be read: No such file"),
    ],
)
def test_credentials_that_cannot_sign_are_named_before_any_request(credentials: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        account_of("voximplant", credentials=credentials)
    assert "BEGIN SECRET" not in str(raised.value)


def test_a_key_whose_signatures_nobody_could_verify_is_refused(simulator: Simulator) -> None:
    credentials = simulator.credentials("voximplant")["credentials"]
    key = load_pem_private_key(credentials["private_key"].encode(), None)
    assert isinstance(key, RSAPrivateKey)
    modulus = key.private_numbers().public_numbers.n
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    other = der.replace(modulus.to_bytes(256, "big"), (modulus - 2).to_bytes(256, "big"))
    pem = ssl.DER_cert_to_PEM_cert(other).replace("CERTIFICATE", "RSA PRIVATE KEY")
    with pytest.raises(ConfigError, match="no RSA key"):
        account_of("voximplant", credentials=credentials | {"private_key": pem})


def test_credentials_may_be_a_file(simulator: Simulator, tmp_path: Any) -> None:
    credentials = simulator.credentials("voximplant")["credentials"]
    (tmp_path / "credentials.json").write_text(json.dumps(credentials))
    account = owner(simulator, credentials=str(tmp_path / "credentials.json"))
    assert read_credentials(account.options.credentials)["key_id"] == credentials["key_id"]
    assert "PRIVATE" not in repr(owner(simulator))
