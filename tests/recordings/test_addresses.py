"""Where recordings are asked for, and who sees the credentials: nobody but known hosts, encrypted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from simulator import Simulator
from sources.account import Account, options_of
from sources.download import About
from sources.errors import NetworkFault, NotNamed, NotThere, RequestRefused
from sources.recordings import Access, Recording
from sources.registry import PROVIDERS
from tests.pipelines.project import Project, everyone
from tests.recordings.held import Fetching
from tests.sources.accounts import requests_of

KEYS = {
    "vbot": {"api_key": "k"},
    "etelecom": {"api_key": "k"},
}


@pytest.fixture(scope="module")
def credentials() -> dict[str, object]:
    with Simulator(calls=0) as simulator:
        given: dict[str, object] = simulator.credentials("voximplant")["credentials"]
        return given


@pytest.fixture(scope="module")
def access_of(credentials: dict[str, object]) -> Callable[..., Access]:
    # Each reads its private key, which takes a while.
    known: dict[str, Access] = {}

    def access_of(provider: str, **options: object) -> Access:
        if options:
            return make(provider, **options)
        return known.setdefault(provider, known.get(provider) or make(provider))

    def make(provider: str, **options: object) -> Access:
        given = KEYS.get(provider, {"credentials": credentials}) | options
        account = Account(provider, "main", options_of(PROVIDERS[provider].options, given))
        recordings = PROVIDERS[provider].recordings
        assert recordings is not None
        return recordings(account)

    return access_of


def recording(url: str | None, recording_id: str | None = None) -> Recording:
    return Recording("call", 0, "x", "main", recording_id, url, None)


VBOT = "https://open-api-h01.vbot.vn/v3.0/api/crm/historycall/record"
STORED = "storage-gw-us-01.voximplant.com/voxdata-us-rec-secure/2026/04/07/x.mp3?record_id=7"
CASES = {
    "vbot v3 names an id": ("vbot", None, "0604a", f"{VBOT}/0604a", True),
    "vbot's older host": (
        "vbot",
        "https://open-api.vbot.vn/api/crm/historycall/record/0604a",
        "0604a",
        f"{VBOT}/0604a",
        True,
    ),
    "vbot over http with a port": (
        "vbot",
        "http://open-api.vbot.vn:8090/v2.0/api/crm/historycall/record/0604a",
        "0604a",
        f"{VBOT}/0604a",
        True,
    ),
    "vbot's other paths": (
        "vbot",
        "http://record.vbot.vn:8090/2026/0604a.wav",
        None,
        "https://record.vbot.vn/2026/0604a.wav",
        True,
    ),
    "vbot's path elsewhere": (
        "vbot",
        "https://vbot.example/api/crm/historycall/record/0604a",
        "0604a",
        "https://vbot.example/api/crm/historycall/record/0604a",
        False,
    ),
    "an id that is a path": ("vbot", None, "../../token?x=1#y", f"{VBOT}/..%2F..%2Ftoken%3Fx%3D1%23y", True),
    "etelecom's own": (
        "etelecom",
        "https://api.etelecom.vn/rec/1.mp3",
        None,
        "https://api.etelecom.vn/rec/1.mp3",
        True,
    ),
    "etelecom's storage": (
        "etelecom",
        "https://cdn.etelecom.vn/1.mp3?sign=s",
        None,
        "https://cdn.etelecom.vn/1.mp3?sign=s",
        False,
    ),
    "voximplant's storage": ("voximplant", f"https://{STORED}", "7", f"https://{STORED}", True),
    "voximplant over http": ("voximplant", f"http://{STORED}", "7", f"https://{STORED}", True),
    "voximplant's api": (
        "voximplant",
        "https://api.voximplant.com/r",
        None,
        "https://api.voximplant.com/r",
        True,
    ),
    "a customer's s3": ("voximplant", "https://s3.example/r.mp3", "7", "https://s3.example/r.mp3", False),
    "plain http elsewhere": ("voximplant", "http://pbx.example:81/r", "7", "http://pbx.example:81/r", False),
    "a name that ends alike": (
        "voximplant",
        "https://evilvoximplant.com/r",
        "7",
        "https://evilvoximplant.com/r",
        False,
    ),
    "a name that begins alike": (
        "voximplant",
        "https://api.voximplant.com.evil.example/r",
        "7",
        "https://api.voximplant.com.evil.example/r",
        False,
    ),
    "a name before the host": (
        "voximplant",
        "https://api.voximplant.com@evil.example/r",
        "7",
        "https://api.voximplant.com@evil.example/r",
        False,
    ),
    "somebody else's credentials": (
        "voximplant",
        "https://you:me@storage.voximplant.com/r",
        "7",
        "https://storage.voximplant.com/r",
        True,
    ),
    "capitals": (
        "voximplant",
        "HTTPS://STORAGE.VOXIMPLANT.COM/R",
        "7",
        "https://storage.voximplant.com/R",
        True,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_credentials_go_to_known_hosts_and_nowhere_else(access_of: Callable[..., Access], case: str) -> None:
    provider, url, recording_id, expected, is_trusted = CASES[case]
    asked = access_of(provider).asked(recording(url, recording_id))
    assert (str(asked.url), asked.is_trusted) == (expected, is_trusted)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "file:///etc/passwd",
        "../../etc/passwd",
        "/etc/passwd",
        "ftp://voximplant.com/r",
        "javascript:alert(1)",
        "https://",
        "https:///r",
        "http://[::1",
        "https://host:99999/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 200}example/",
        "https://a..b/",
        "https://h/\x00",
        "recordings/0912345678.wav",
    ],
)
@pytest.mark.parametrize("provider", ["etelecom", "voximplant"])
def test_what_is_no_http_address_is_refused_without_showing_it(
    access_of: Callable[..., Access], provider: str, url: str | None
) -> None:
    with pytest.raises(NotThere, match=r"the provider names (no address for it|what is no .*)$"):
        access_of(provider).asked(recording(url))


@pytest.mark.parametrize("number", [None, "", ".", ".."])
def test_a_vbot_recording_without_an_id_has_no_address(
    access_of: Callable[..., Access], number: str | None
) -> None:
    with pytest.raises(NotNamed, match="no address"):
        access_of("vbot").asked(recording(None, number))


@pytest.mark.parametrize("kept", ["+84******78", "#VN:mobile:abcdefghijklmnopabcdefgh", "20260406-******-77"])
def test_an_id_of_which_a_number_was_taken_is_not_asked(access_of: Callable[..., Access], kept: str) -> None:
    url = f"http://open-api.vbot.vn:8090/v2.0/api/crm/historycall/record/{kept}"
    for listed in (recording(url, kept), recording(None, kept), recording(url)):
        with pytest.raises(NotThere, match="phone_privacy did not keep all"):
            access_of("vbot").asked(listed)


def test_a_plain_base_url_stays_plain_and_trusts_its_own_port_alone(access_of: Callable[..., Access]) -> None:
    access = access_of("etelecom", base_url="http://pbx.example:8080/v1/shop", allow_http=True)
    own = access.asked(recording("http://pbx.example:8080/r.wav"))
    other = access.asked(recording("http://pbx.example:81/r.wav"))
    assert (str(own.url), own.is_trusted) == ("http://pbx.example:8080/r.wav", True)
    assert (str(other.url), other.is_trusted) == ("http://pbx.example:81/r.wav", False)


def test_more_hosts_may_be_named(access_of: Callable[..., Access]) -> None:
    access = access_of("etelecom", recording_hosts=("CDN.etelecom.vn", "*.pbx.example"))
    assert access.asked(recording("https://cdn.etelecom.vn/1.mp3")).is_trusted
    assert access.asked(recording("https://a.pbx.example/1.mp3")).is_trusted
    assert not access.asked(recording("https://pbx.example/1.mp3")).is_trusted
    assert not access.asked(recording("https://x.cdn.etelecom.vn/1.mp3")).is_trusted


@pytest.mark.parametrize("host", ["*", "*.com", "https://cdn.etelecom.vn", "cdn.etelecom.vn/rec", "a b.c"])
def test_a_host_that_would_be_any_host_is_none(project: Project, simulator: Simulator, host: str) -> None:
    project.configure(simulator, everyone("etelecom.main"), recording_hosts=[host])
    outcome = project.run("recordings", "--dry-run")
    assert outcome.code == 2
    (line,) = outcome.lines
    assert line.startswith("sources.etelecom.main.recording_hosts takes a.example.com or *.example.com, not")


def test_a_stranger_gets_no_credentials(fetch: Fetching, simulator: Simulator) -> None:
    url = f"http://localhost:{simulator.port}/etelecom/recordings/1.wav"
    one = fetch(url=url)
    assert one.once() == one.expected()
    assert [(asked.host, asked.has_credentials) for asked in one.asked] == [
        (f"localhost:{simulator.port}", False)
    ]
    known = fetch(name="2")
    with closing(known.part()) as part:
        part.begin(About())
    known.once()
    assert known.asked[-1].has_credentials


def test_a_stranger_who_asks_for_credentials_is_named(fetch: Fetching, simulator: Simulator) -> None:
    url = f"http://localhost:{simulator.port}/voximplant/secure/1.wav"
    with pytest.raises(RequestRefused, match="localhost answered HTTP 401; it was asked without credentials"):
        fetch("voximplant", url=url).once()
    assert len(requests_of(simulator, "voximplant")) == 1


@pytest.mark.parametrize("provider", ["etelecom", "voximplant"])
def test_a_redirect_to_another_host_carries_no_credentials(
    fetch: Fetching, simulator: Simulator, provider: str
) -> None:
    elsewhere = f"http://localhost:{simulator.port}"
    # And none any more on the way back.
    simulator.recordings.redirects = {
        "first": f"{elsewhere}/etelecom/recordings/second.wav",
        "second": f"{simulator.url}/etelecom/recordings/third.wav",
    }
    one = fetch(provider, name="first")
    assert one.once() == one.expected()
    assert [asked.has_credentials for asked in one.asked] == [True, False, False]


def test_a_redirect_within_the_host_carries_them(fetch: Fetching, simulator: Simulator) -> None:
    simulator.recordings.redirects = {"first": "/voximplant/secure/second.wav"}
    one = fetch("voximplant", name="first")
    assert one.once() == one.expected()
    assert [asked.has_credentials for asked in one.asked] == [True, True]


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    fetch: Fetching, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://127.0.0.1:{simulator.port}/etelecom/recordings/1.wav"
    with pytest.raises(NetworkFault, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(url=url, max_attempts=1).once()
    monkeypatch.setenv("SSL_CERT_FILE", str(simulator.describe()["certificate_file"]))
    one = fetch(url=url)
    assert one.once() == one.expected()
