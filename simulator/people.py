"""The made-up company that calls: its hotlines, agents and customers' telephone numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

_PREFIXES = ("090", "091", "093", "094", "096", "097", "098", "032", "033", "035", "036", "038", "039",
             "070", "077", "079", "081", "083", "085", "056")  # fmt: skip
_SUBSCRIBERS = 10_000_000


@dataclass(frozen=True)
class Agent:
    """Somebody who answers; every provider names the same people in its own way."""

    number: int
    name: str

    @property
    def extension(self) -> str:
        """The short number colleagues dial."""
        return str(101 + self.number)

    @property
    def member_no(self) -> str:
        """VBot's member number."""
        return str(1001 + self.number)

    @property
    def login(self) -> str:
        """Voximplant's user name."""
        return f"agent{self.number + 1:02d}"


@dataclass(frozen=True)
class Hotline:
    """A number customers dial."""

    number: int
    name: str
    digits: str


AGENTS = tuple(
    Agent(number, name)
    for number, name in enumerate(
        (
            "Nguyễn Thị Lan",
            "Trần Văn Hùng",
            "Lê Minh Anh",
            "Phạm Quốc Bảo",
            "Hoàng Thu Hà",
            "Vũ Đức Long",
            "Đặng Ngọc Mai",
            "Bùi Thanh Tùng",
            "Đỗ Khánh Linh",
            "Ngô Gia Huy",
        )
    )
)

HOTLINES = (
    Hotline(0, "Bán hàng", "02471001001"),
    Hotline(1, "Chăm sóc khách hàng", "02871002002"),
    Hotline(2, "Kỹ thuật", "02473003003"),
    Hotline(3, "Khiếu nại", "1900636001"),
)


class Spelling(Enum):
    """How a telephone number is written: what stands before what is dialled in any case."""

    NATIONAL = "0"
    INTERNATIONAL = "84"
    WITH_PLUS = "+84"


@lru_cache(maxsize=100_000)
def customer_number(customer: int, spelling: Spelling = Spelling.NATIONAL) -> str:
    """The mobile number of a customer; those below ten million have different ones."""
    prefix = _PREFIXES[customer % len(_PREFIXES)].removeprefix("0")
    # 7368787 shares no factor with ten million, so the product visits every subscriber number once.
    return f"{spelling.value}{prefix}{customer * 7368787 % _SUBSCRIBERS:07d}"


def international(national: str) -> str:
    """A hotline's number as Voximplant writes it."""
    return Spelling.INTERNATIONAL.value + national.removeprefix("0")
