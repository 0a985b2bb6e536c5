import duckdb
import pytest

from sources.zones import _names, is_zone


@pytest.mark.parametrize("name", ["Asia/Ho_Chi_Minh", "Asia/Saigon", "Etc/GMT", "UTC", "EST5EDT"])
def test_a_name_of_the_time_zone_database_is_a_zone(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "a" * 5_000,
        "nul\0",
        "/etc/localtime",
        "../UTC",
        "asia/ho_chi_minh",
        "localtime",
        "posixrules",
        "posix/Asia/Tokyo",
        "right/Asia/Tokyo",
    ],
)
def test_a_folder_or_a_file_beside_the_zones_is_none(name: str) -> None:
    assert not is_zone(name)


def test_duckdb_knows_every_zone() -> None:
    with duckdb.connect() as connection:
        for name in _names():
            connection.execute(f"set timezone = '{name}'")
